import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { run } from '#gateway/command/run'
import { until } from '../servers/until.ts'
import { type Configured, configured } from './configured.ts'

describe('coatcheck remains, with the store in a folder', () => {
  it('looks into the bytes of its files too, where what was erased lies until it is overwritten', async (t) => {
    const at = await configured(t, 'store: ./sessions')
    await at.signedIn('somebody')
    assert.equal((await remains(at)).code, 1)
    await signOut(at)

    const { code, out } = await remains(at, '--json')
    const { verdict, files, notLookedAt } = JSON.parse(out)
    assert.deepEqual([code, verdict, files.found], [0, 'nothing_left', []])
    assert.ok(files.paths.includes(join(dirname(at.file), 'sessions', 'data.mdb')), files.paths)
    assert.ok(files.sealed > 0, 'LMDB had no page to overwrite it with yet')
    assert.match(notLookedAt.join(), /backups.*memory of processes/)
    const said = await remains(at)
    assert.match(said.out, /^Nothing is left in the store\.\n/)
    assert.match(said.out, /\nLooked into the bytes of .*data\.mdb.*: nothing in plain text\.\n/)
    assert.match(said.out, /\nSealed texts of theirs there, erased or not: [1-9]/)
    assert.match(said.out, /\nNot looked at: copies and backups that --file does not name; /)
  })

  it('finds who is named in plain text, there and in a file that was named', async (t) => {
    const at = await configured(t, 'store: ./sessions')
    const copy = join(dirname(at.file), 'copy-for-somebody.csv')
    writeFileSync(copy, 'user\nsomebody\n')
    // Their keyring tells what is whose, so that there is a verdict.
    await at.signedIn('another')
    assert.equal((await remains(at)).code, 0)
    const named = await remains(at, '--file', copy)
    assert.equal(named.code, 1)
    assert.match(
      named.out,
      /something is left for everybody to read:\nplain_name {2}.*copy-for-\[…\]\.csv from byte 0\n/,
    )
    writeFileSync(join(dirname(at.file), 'sessions', 'forgotten'), 'somebody')
    assert.equal((await remains(at)).code, 1)
    const missing = await remains(at, '--file', `${copy}.gone`)
    assert.deepEqual([missing.code, missing.out], [2, ''])
    assert.match(missing.err, /\.csv\.gone cannot be read \(ENOENT\)/)
  })

  it('tells by the keys of today, where an older keyring lies in the files', async (t) => {
    const at = await configured(t, 'store: ./sessions.of-1.0')
    await at.signedIn('somebody')
    await signOut(at)
    const { contents = [] } = at.opened
    let keyring = ''
    for await (const { bytes } of contents) {
      const text = Buffer.from(bytes).toString('latin1')
      if (text.includes('{"format":')) keyring = text.slice(text.indexOf('{"format":'))
    }
    const folder = join(dirname(at.file), 'sessions.of-1.0')
    const other = keyring.replace(/[A-Za-z0-9_-]{40}(?=")/, 'A'.repeat(40))
    assert.notEqual(other, keyring)
    writeFileSync(join(folder, 'older'), other)
    const { code, out } = await remains(at)
    assert.equal(code, 0, out)
    assert.match(out, /Keyrings there that these `keys` do not unwrap: 1\./)
  })
})

/** Signs the only session out, and waits until the provider has confirmed what is revoked. */
async function signOut(at: Configured): Promise<void> {
  await at.provider.endSession(at.provider.sessions[0]?.sid ?? '')
  await until('nothing is owed', async () => (await remains(at)).code === 0)
}

async function remains(
  { file }: Configured,
  ...options: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: '', err: '' }
  const terminal = {
    isAttended: false,
    print: (text: string) => {
      said.out += `${text}\n`
    },
    complain: (text: string) => {
      said.err += `${text}\n`
    },
    confirm: async () => false,
  }
  const command = ['remains', '--subject', 'somebody', '--config', file, ...options]
  return { code: await run(command, terminal, {}), ...said }
}
