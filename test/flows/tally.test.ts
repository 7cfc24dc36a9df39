import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Context } from '#coatcheck/core/context'
import { systemEnvironment } from '#coatcheck/core/environment'
import { sessionIn } from '#coatcheck/core/session/sealed'
import type { ReadEntry } from '#coatcheck/core/sign-out/batch'
import type { SignOutOrder } from '#coatcheck/core/sign-out/order'
import { openWork } from '#coatcheck/core/sign-out/owed'
import { createTally, type Tally } from '#coatcheck/core/sign-out/tally'
import { subjectIndex } from '#coatcheck/core/tokens/home'
import { createKeyring } from '#coatcheck/core/tokens/keyring'
import type { Packed } from '#coatcheck/core/tokens/packed'
import type { StoredEntry } from '#coatcheck/core/tokens/store'
import type { Vault } from '#coatcheck/core/tokens/vault'
import { memoryStore } from '#coatcheck/stores/memory'
import { seedSessions } from '../processes/seed.ts'
import { KEY } from '../support/application.ts'

it('keeps no session that it opened, however long a store remembers the removal', async () => {
  const opened: WeakRef<object>[] = []
  const tally = createTally(CONTEXT, opening(opened), ORDER)
  const { owe } = tally
  owe([NAMED, COVERED, UNTOUCHED])
  assert.equal(await alive(opened), 3)
  assert.equal(finish(tally), 1)
  assert.equal(await alive(opened), 0)
  // What Redis does once more after a failover.
  owe([NAMED])
  assert.equal(opened.length, 4)
  assert.equal(await alive(opened), 0)
  assert.deepEqual(owe([]), [])
})

it('keeps no session either that somebody had opened before', async () => {
  const opened: WeakRef<object>[] = []
  const tally = createTally(CONTEXT, opening([]), ORDER, [seen(opened)])
  assert.deepEqual(tally.owe([NAMED]), [])
  assert.equal(await alive(opened), 1)
  finish(tally)
  assert.equal(await alive(opened), 0)
})

it('opens a session again that has changed since somebody opened it', () => {
  const opened: WeakRef<object>[] = []
  const tally = createTally(CONTEXT, opening(opened), ORDER, [seen([])])
  tally.owe([NAMED])
  assert.equal(opened.length, 0)
  tally.owe([{ ...NAMED, value: Buffer.from('sealed anew') }])
  assert.equal(opened.length, 1)
})

it('owes for what a session held when it went, whatever was prepared for it', async () => {
  const store = memoryStore()
  const vault = await createKeyring(store, [KEY], systemEnvironment).load()
  const tokens = ['first', 'second', 'third']
  await seedSessions(store, HOME.issuer, 'U1', tokens)
  const seeded = await store.list(subjectIndex(vault, HOME, 'U1'), { limit: 9 })
  const context = { ...CONTEXT, provider: HOME } as unknown as Context
  const tally = createTally(context, vault, { ...ORDER, sessions: [], revokeAt: 0 })
  tally.prepare(seeded)
  const [one, other, gone] = seeded as [StoredEntry, StoredEntry, StoredEntry]
  // Meanwhile the first holds what the third held: of the three prepared together none is used.
  const opened = vault.open('session', gone.id, gone.value) as Packed
  const later = vault.seal('session', one.id, opened.content, [...opened.tokens])
  const owed = tally.owe([{ id: one.id, value: later }, other])
  const works = owed.map(({ id, record }) => openWork(vault, id, record.value))
  assert.deepEqual(
    works.flatMap((work) => (work?.kind === 'revocation' ? work.tokens : [])),
    [opened, vault.open('session', other.id, other.value) as Packed].map(
      ({ tokens: [, value] }) => ({
        hint: 'refresh_token',
        value,
      }),
    ),
  )
  for (const entry of [one, other]) tally.count(entry)
  assert.equal(tally.end().receipt.revocationsOwed, 2)
})

/** A session by its id, another that a mark covers, and one that the store left after all. */
const [NAMED, COVERED, UNTOUCHED] = ['s.named', 's.covered', 's.untouched'].map(
  (id): StoredEntry => ({ id, value: Buffer.from('sealed') }),
) as [StoredEntry, StoredEntry, StoredEntry]

const CONTEXT = {
  environment: { now: () => 0 },
  configuration: { places: [] },
  emit() {},
} as unknown as Context

const HOME = { issuer: 'https://provider.test', clientId: 'app' }

const ORDER: SignOutOrder = {
  id: 'r',
  cause: 'user',
  named: [],
  sessions: [NAMED.id],
  marks: [],
  providerSession: 'not_asked',
  at: 0,
}

/** The first of them as somebody has just read it. */
function seen(opened: WeakRef<object>[]): ReadEntry {
  const { content, tokens } = opening(opened).open('session', NAMED.id, NAMED.value) as Packed
  return { entry: { ...NAMED }, record: sessionIn({ content, tokens }) }
}

/** Opens everything, and remembers by a weak reference what it gave out. */
function opening(opened: WeakRef<object>[]): Vault {
  return {
    open() {
      const claims = { name: 'Alice' }
      opened.push(new WeakRef(claims))
      const content = ['', '', 'U1', [], '', null, 0, 0, '', 0, 0, 0, false, 0, claims, []]
      return { content, tokens: ['an ID token', 'a refresh token'] }
    },
  } as unknown as Vault
}

/** How many records the caller of the removal gets, who drops them. */
function finish(tally: Tally): number {
  tally.count(NAMED)
  tally.count(COVERED)
  return tally.end().records.length
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How many of them somebody holds on to. */
async function alive(references: readonly WeakRef<object>[]): Promise<number> {
  // What was made or looked at in this turn of the event loop stays until its end.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  return references.filter((each) => each.deref() !== undefined).length
}
