import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { type Auth, AuthError, createAuth, type TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { memoryStore } from '#coatcheck/stores/memory'
import { seedSessions } from '../processes/seed.ts'
import {
  type Application,
  KEY,
  settle,
  startApplication,
  startClock,
} from '../support/application.ts'
import { startBlind } from '../support/blind.ts'
import { forever } from '../support/place.ts'

/** More than three steps of a removal take. */
const NAMES = Array.from({ length: 700 }, (_, at) => `${at}`)
const ALL = NAMES.map((name) => `refresh-${name}`)

it('ends each of very many sessions once, with one receipt, and revokes every token once', async (t) => {
  const { app, tickets } = await signedInOften(t)
  const receipt = await app.auth.signOut({ subject: 'U1' })
  assert.equal(receipt.removed, NAMES.length)
  assert.equal(receipt.revocationsOwed, NAMES.length)
  assert.deepEqual(receipt.tokens, { access: 0, refresh: NAMES.length, id: NAMES.length })
  assert.equal(new Set(receipt.sessions).size, NAMES.length)
  for (const ticket of tickets.filter((_, at) => at % 100 === 0)) {
    const headers = { cookie: `__Host-session=${ticket}` }
    assert.equal(await app.auth.session({ headers }), undefined)
  }
  app.clock.forward(2_000)
  assert.deepEqual((await revoked(app, NAMES.length)).sort(), [...ALL].sort())
})

it('ends very many sessions also where the store does not let it look ahead', async (t) => {
  const inner = memoryStore()
  let isRefusing = false
  const store: TokenStore = {
    ...inner,
    async list(index, page) {
      if (isRefusing) throw new AuthError('store_unavailable', 'Not now.')
      return inner.list(index, page)
    },
    async removeAll(marks, removal) {
      isRefusing = true
      const step = await inner.removeAll(marks, removal)
      isRefusing = step.more
      return step
    },
  }
  const { app } = await signedInOften(t, store)
  const receipt = await app.auth.signOut({ subject: 'U1' })
  assert.equal(receipt.removed, NAMES.length)
  app.clock.forward(2_000)
  assert.deepEqual((await revoked(app, NAMES.length)).sort(), [...ALL].sort())
})

it('is not revoked at the provider in the middle of it, but for its first step, and soon after', async (t) => {
  const app = await startBlind(t)
  await seedSessions(app.store, app.provider.issuer, 'U1', NAMES)
  app.another()
  // Their next rounds come after the second of four steps.
  await app.pass(3_750)
  app.store.fault = (operation) => (operation === 'removeAll' ? { after: 500 } : undefined)
  const [{ removed }, byThen] = await app.end(
    app.auth
      .signOut({ subject: 'U1' })
      .then((receipt) => [receipt, app.provider.count('revocation')] as const),
  )
  assert.equal(removed, NAMES.length)
  assert.equal(app.store.calls.filter((operation) => operation === 'removeAll').length, 4)
  assert.ok(byThen <= 64, `${byThen} by then`)
  await app.pass(3_000)
  assert.deepEqual((await revoked(app, NAMES.length)).sort(), [...ALL].sort())
})

it('is revoked, all of it and once, where the process dies after any of its steps [INV-15]', async (t) => {
  for (const steps of [1, 2, 3, 4]) {
    const app = await startBlind(t)
    await seedSessions(app.store, app.provider.issuer, 'U1', NAMES)
    const dying = dyingAfter(app, steps)
    void dying.signOut({ subject: 'U1' }).catch(() => undefined)
    await app.pass(1_000)
    assert.equal((await app.auth.sessions({ subject: 'U1' })).length, [636, 380, 124, 0][steps - 1])
    for (let seconds = 0; seconds < 45; seconds += 5) {
      app.clock.forward(5_000)
      await settle()
    }
    assert.deepEqual((await revoked(app, NAMES.length)).sort(), [...ALL].sort(), `after ${steps}`)
    assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  }
})

it('is finished also where no process was there for days after one had died in it [INV-15]', async (t) => {
  const clock = startClock()
  const store = memoryStore({ now: clock.now })
  const before = await startApplication({ store, given: { clock } })
  t.after(before.close)
  await seedSessions(store, before.provider.issuer, 'U1', NAMES, 10 * DAY)
  await before.auth.close()
  const dying = dyingAfter({ ...before, store }, 1)
  void dying.signOut({ subject: 'U1' }).catch(() => undefined)
  await settle()
  clock.forward(3 * DAY)
  const after = before.another({ session: { lifetimeSeconds: 864_000, idleSeconds: 864_000 } })
  await settle()
  assert.deepEqual(await after.sessions({ subject: 'U1' }), [])
})

const DAY = 86_400_000

/** A process that is no more after so many steps of a removal. Nobody closes it, nor its worker. */
function dyingAfter(
  { origin, provider, store, clock }: Pick<Application, 'origin' | 'provider' | 'store' | 'clock'>,
  steps: number,
): Auth {
  let left = steps
  return createAuth({
    origin,
    keys: [KEY],
    session: { lifetimeSeconds: 864_000, idleSeconds: 864_000 },
    provider: { issuer: provider.issuer, clientId: 'app', clientSecret: 'secret' },
    store: {
      ...store,
      removeAll: async (marks, removal) => {
        if (left === 0) return forever()
        left -= 1
        const step = await store.removeAll(marks, removal)
        return left === 0 ? forever() : step
      },
    },
    [environment]: { now: clock.now, wait: forever },
  })
}

async function signedInOften(
  t: TestContext,
  store: TokenStore = memoryStore(),
): Promise<{ app: Application; tickets: string[] }> {
  const app = await startApplication({ store })
  t.after(app.close)
  return { app, tickets: await seedSessions(store, app.provider.issuer, 'U1', NAMES) }
}

/** What the provider was asked to revoke, once it was asked so many times. */
async function revoked(app: Application, times: number): Promise<string[]> {
  const tokens = (): string[] =>
    app.provider.requests
      .filter(({ endpoint }) => endpoint === 'revocation')
      .map(({ form }) => form.get('token') ?? '')
  while (tokens().length < times) await settle()
  await settle()
  return tokens()
}
