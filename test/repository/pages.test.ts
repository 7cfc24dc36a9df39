import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { filesUnder } from '../../scripts/files.ts'
import { codeBlocks, typeErrors } from '../../scripts/pages.ts'
import { root } from '../../scripts/run.mjs'
import { read } from './sources.ts'

/** Of the library; those of the gateway are run by `test/gateway`. */
const examples = filesUnder('examples').filter((file) => /^examples\/[^/]+\.ts$/.test(file))

describe('what the pages show works', () => {
  it('shows in a block that names a file (```ts examples/express.ts) exactly that file', () => {
    for (const { page, line, file, code } of codeBlocks()) {
      if (file === undefined) continue
      assert.ok(existsSync(join(root, file)), `${page}:${line} names ${file}`)
      assert.equal(code, read(file), `${page}:${line} is not ${file}`)
    }
  })

  it('compiles every other ts block', () => {
    assert.deepEqual(typeErrors(codeBlocks()), [])
  })

  it('has a quick start that is an example, so that a test runs it', () => {
    const shown = codeBlocks().filter(({ page }) => page === 'README.md')
    assert.ok(
      shown.some(({ file }) => file !== undefined && examples.includes(file)),
      'README.md shows no ```ts examples/….ts block',
    )
  })

  it('runs each example in a test of its name, and keeps it within 60 lines', () => {
    assert.notEqual(examples.length, 0)
    for (const example of examples) {
      const test = `test/${example.replace(/\.ts$/, '.test.ts')}`
      assert.ok(existsSync(join(root, test)), `${example} has no ${test}`)
      assert.ok(read(example).split('\n').length <= 61, `${example} has more than 60 lines`)
    }
  })
})
