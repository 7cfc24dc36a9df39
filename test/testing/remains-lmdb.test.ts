import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { findRemains, type RawContents, type Remains } from '#coatcheck/testing/remains'
import { fileContents } from '#coatcheck/testing/remains/files'
import { lmdbContents } from '#coatcheck/testing/remains/lmdb'
import { openEnvironment, type TestEnvironment } from '../stores/environment.ts'
import { KEY } from '../support/application.ts'
import { ALICE, of, type Started, start } from './remains-flows.ts'

const TOKEN = 'a-token-that-another-application-wrote-down'

describe('findRemains, in an LMDB environment', () => {
  it('looks into every database of it, whoever made them and however they order their rows', async (t) => {
    const { environment, started } = await startIn(t)
    const { database } = environment
    await database.put('at the top', { note: TOKEN })
    const several = database.openDB({
      name: 'several for a key',
      dupSort: true,
      encoding: 'string',
    })
    for (const value of ['one', TOKEN, 'zero']) await several.put('key', value)
    await database.openDB({ name: 'by number', keyEncoding: 'uint32' }).put(7, [TOKEN])
    const large = database.openDB({ name: 'large', encoding: 'binary' })
    await large.put('key', Buffer.from(`${'x'.repeat(100_000)}${TOKEN}${'x'.repeat(100_000)}`))
    await large.put(`key: ${TOKEN}`, Buffer.from('x'))
    const { found } = await started.look([], [TOKEN])
    assert.deepEqual(found.map(({ kind, place }) => `${kind}: ${place}`).sort(), [
      'plain_text: by number: \\x07\\x00\\x00\\x00',
      'plain_text: large: key',
      'plain_text: large: key: […]',
      'plain_text: main database: at the top',
      'plain_text: several for a key: key',
    ])
    // Looking has changed nothing.
    assert.deepEqual([...several.getValues('key')], ['one', TOKEN, 'zero'].sort())
  })

  it('puts the parts of a record together, also where nothing leads to them any more', async (t) => {
    const { environment, started } = await startIn(t)
    const { app, look } = started
    // A record of several parts.
    app.provider.user = { ...ALICE, picture: 'data:,'.padEnd(20_000, 'picture') } as typeof ALICE
    const browser = await app.signedIn()
    const { handle = '' } = (await app.auth.session(app.as(browser))) ?? {}
    const table = environment.database.openDB({
      name: 'coatcheck',
      encoding: 'binary',
      keyEncoding: 'binary',
    })
    const rows = [...table.getRange({})].map(({ key }) => Buffer.from(key as Uint8Array))
    for (const key of rows)
      if ('ier'.includes(key.toString('latin1', 0, 1))) await table.remove(key)
    const remains = await look([{ subject: ALICE.sub }, { session: handle }])
    const [remain, ...others] = remains.found
    assert.deepEqual(others, [])
    assert.equal(remain?.kind, 'session')
    assert.match(remain?.place ?? '', /that nothing leads to/)
    assert.deepEqual(remain?.identities, [0])
  })

  it('finds no plain text in its file, and counts the sealed ones that are not overwritten yet', async (t) => {
    const { environment, started } = await startIn(t)
    const { app, revoked } = started
    await app.signedIn(ALICE)
    const secrets = app.provider.secrets()
    app.clock.forward(1000)
    await app.auth.signOut({ subject: ALICE.sub })
    await revoked()
    await environment.database.flushed
    const file = fileContents(join(environment.path, 'data.mdb'))
    const clean = await lookIn(file, started, secrets)
    assert.deepEqual(clean.found, [])
    assert.ok(clean.looked.inFiles > 0)

    const other = environment.database.openDB({ name: 'other', encoding: 'string' })
    await other.put('key', TOKEN)
    await other.remove('key')
    await environment.database.flushed
    assert.equal((await started.look([], [TOKEN])).verdict, 'nothing_left')
    assert.ok(of(await lookIn(file, started, [TOKEN]), 'plain_text').length > 0)
  })
})

async function startIn(
  t: TestContext,
): Promise<{ environment: TestEnvironment; started: Started }> {
  const environment = openEnvironment()
  t.after(environment.close)
  const { database } = environment
  const open = async (_t: TestContext, now: () => number) => ({
    store: lmdbStore(database, { now }),
    contents: lmdbContents(database),
  })
  return { environment, started: await start(t, open) }
}

function lookIn(contents: RawContents, { app }: Started, texts: string[]): Promise<Remains> {
  return findRemains({
    contents,
    keys: [KEY],
    issuer: app.provider.issuer,
    clientId: 'app',
    identities: [{ subject: ALICE.sub }],
    texts,
  })
}
