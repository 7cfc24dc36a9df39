import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { AuthError, type TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { seedSessions } from '../processes/seed.ts'
import { type Application, settle, startApplication } from '../support/application.ts'

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
  assert.deepEqual((await revoked(app, NAMES.length)).sort(), [...ALL].sort())
})

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
