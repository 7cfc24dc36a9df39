import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '../servers/until.ts'
import { ALICE, of, start, testSignOuts } from './remains-flows.ts'
import { STORES } from './remains-stores.ts'

for (const [kind, open] of Object.entries(STORES)) {
  describe(`findRemains, in the raw contents of the ${kind} store`, () => {
    testSignOuts(open)

    it('tells a sign-out that stopped in the middle, and nothing once it was finished [INV-15]', async (t) => {
      let steps = 0
      const { app, look, revoked } = await start(t, async (...given) => {
        const opened = await open(...given)
        const removeAll: typeof opened.store.removeAll = async (...about) => {
          steps += 1
          if (steps === 2) throw new Error('The store is away.')
          return opened.store.removeAll(...about)
        }
        return { ...opened, store: { ...opened.store, removeAll } }
      })
      const browsers = 66
      const tokensOfEach = 2
      for (let count = 0; count < browsers; count++) await app.signedIn(ALICE)
      app.clock.forward(1000)
      await assert.rejects(app.auth.signOut({ subject: ALICE.sub }), { code: 'store_unavailable' })
      const halfway = await look([{ subject: ALICE.sub }])
      assert.equal(of(halfway, 'session').length, 2)
      assert.equal(of(halfway, 'unfinished_sign_out').length, 1)

      // A clock that leaps would time out what is on its way to the provider.
      await until('what the first step removed has been revoked', () => {
        const answered = app.events.filter((event) => event.type === 'revocation')
        return answered.length === (browsers - 2) * tokensOfEach
      })
      app.clock.forward(60_000)
      await until('another worker has finished it', async () => {
        return (await look([{ subject: ALICE.sub }])).found.length === 0
      })
      await revoked()
      assert.equal(
        (await look([{ subject: ALICE.sub }, { sid: ALICE.sid }])).verdict,
        'nothing_left',
      )
    })
  })
}
