import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { root } from '../../scripts/run.mjs'
import { KEY, startApplication } from '../support/application.ts'

it('the audit example tells a user who is signed in from one of whom nothing is left', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-example-'))
  const database = open({ path: folder, ...lmdbOptions })
  const app = await startApplication({ store: lmdbStore(database) })
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  const [client] = app.provider.clients.values()
  const audit = (subject: string): { status: number | null; verdict: string } => {
    const env = { ISSUER: app.provider.issuer, CLIENT_ID: client?.client_id, KEY, DATA: folder }
    const { status, stdout } = spawnSync(process.execPath, ['examples/audit.ts', subject], {
      cwd: root,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    })
    return { status, verdict: JSON.parse(stdout).verdict }
  }
  await app.signedIn({ sub: 'ada', sid: 'S1' })
  await app.signedIn({ sub: 'bob', sid: 'S2' })
  assert.equal((await app.auth.signOut({ subject: 'ada' })).removed, 1)
  // What is owed holds tokens until the provider has confirmed that they are revoked.
  await app.provider.received('revocation', 2)
  await app.close()

  assert.deepEqual(audit('ada'), { status: 0, verdict: 'nothing_left' })
  assert.deepEqual(audit('bob'), { status: 1, verdict: 'remains' })
})
