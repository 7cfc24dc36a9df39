import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { findRemains } from '#coatcheck/testing/remains'
import { fileContents } from '#coatcheck/testing/remains/files'

const TOKEN = 'a-token-in-the-middle-of-a-large-file'

it('finds a text wherever it lies in a file, also across the places where it is cut for reading', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-remains-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'data')
  for (const at of [0, 1_048_576 - 10, 1_048_576 + 65_536 - 10, 2_500_000 - TOKEN.length]) {
    const bytes = Buffer.alloc(2_500_000, 'x')
    bytes.write(TOKEN, at)
    writeFileSync(path, bytes)
    const { found, looked } = await findRemains({
      contents: fileContents(path),
      keys: ['a key for tests of thirty-two bytes at least'],
      issuer: 'https://provider.test',
      clientId: 'app',
      identities: [],
      texts: [TOKEN],
    })
    assert.ok(found.length > 0, `at ${at}`)
    assert.ok(looked.bytes >= bytes.length)
  }
})
