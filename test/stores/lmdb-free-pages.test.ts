import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { openEnvironment } from './environment.ts'

const PROGRAM = fileURLToPath(new URL('lmdb-much-freed.ts', import.meta.url))

describe('lmdbOptions', () => {
  // lmdb 3.5.6 with its own options ends the process, or fails at the third write.
  it('let a process start on an environment with much free space, and write', (t) => {
    const path = mkdtempSync(join(tmpdir(), 'coatcheck-lmdb-'))
    t.after(() => rmSync(path, { recursive: true }))
    for (const work of ['free', 'start', 'start']) {
      const { status, signal, stderr } = spawnSync(process.execPath, [PROGRAM, path, work])
      assert.deepEqual({ work, status, signal }, { work, status: 0, signal: null }, `${stderr}`)
    }
  })

  it('are warned of where they are missing, with what to write', async (t) => {
    const path = mkdtempSync(join(tmpdir(), 'coatcheck-lmdb-'))
    const warned = t.mock.method(process, 'emitWarning', () => undefined)
    const database = open({ path })
    await lmdbStore(database).close()
    await database.close()
    rmSync(path, { recursive: true })
    assert.equal(warned.mock.callCount(), 1)
    const [message, details] = warned.mock.calls[0]?.arguments ?? []
    assert.match(String(message), /lmdbStore\(open\(\{ path, \.\.\.lmdbOptions \}\)\)/)
    assert.equal(Object(details).code, 'COATCHECK_LMDB_OPTIONS')
  })

  it('are not warned of where they are given', async (t) => {
    const warned = t.mock.method(process, 'emitWarning', () => undefined)
    const environment = openEnvironment()
    await lmdbStore(environment.database).close()
    await environment.close()
    assert.equal(warned.mock.callCount(), 0)
    assert.ok(Object.isFrozen(lmdbOptions))
  })
})
