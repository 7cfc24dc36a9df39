import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Context } from '#coatcheck/core/context'
import type { SignOutOrder } from '#coatcheck/core/sign-out/order'
import { createTally, type Tally } from '#coatcheck/core/sign-out/tally'
import type { StoredEntry } from '#coatcheck/core/tokens/store'
import type { Vault } from '#coatcheck/core/tokens/vault'

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

/** A session by its id, another that a mark covers, and one that the store left after all. */
const [NAMED, COVERED, UNTOUCHED] = ['s.named', 's.covered', 's.untouched'].map(
  (id): StoredEntry => ({ id, value: Buffer.from('sealed') }),
) as [StoredEntry, StoredEntry, StoredEntry]

const CONTEXT = {
  environment: { now: () => 0 },
  configuration: { places: [] },
  emit() {},
} as unknown as Context

const ORDER: SignOutOrder = {
  id: 'r',
  cause: 'user',
  named: [],
  sessions: [NAMED.id],
  marks: [],
  providerSession: 'not_asked',
  at: 0,
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
