import assert from 'node:assert/strict'
import { it } from 'node:test'
import { environment } from '#coatcheck/core/environment'
import { type Application, settle, startApplication, startClock } from '../support/application.ts'

/** In so many milliseconds without a sign-out a burst is over. */
const QUIET = 100

/** Users signed in; background work goes by the test's clock. */
async function startWith(...subs: readonly string[]): Promise<Application> {
  const clock = startClock()
  const app = await startApplication({ [environment]: { wait: clock.wait }, given: { clock } })
  for (const sub of subs) await app.signedIn({ sub, sid: `sid of ${sub}` })
  clock.forward(1000)
  await settle()
  return app
}

async function signOut(app: Application, sub: string): Promise<void> {
  await app.logout(await app.provider.logoutToken({ session: { sub, sid: `sid of ${sub}` } }))
  await settle()
}

it('revokes at once for who signs out alone, and after a burst for those who were in it [TOK-7]', async (t) => {
  const app = await startWith('U1', 'U2', 'U3')
  t.after(app.close)
  await signOut(app, 'U1')
  assert.equal(app.heard('revocation').length, 2)
  await signOut(app, 'U2')
  await signOut(app, 'U3')
  assert.deepEqual(await app.auth.sessions({ subject: 'U3' }), [])
  assert.equal(app.heard('revocation').length, 2)
  app.clock.forward(QUIET)
  await settle()
  app.clock.forward(QUIET)
  await settle()
  assert.equal(app.heard('revocation').length, 6)
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
})

it('revokes when a burst of sign-outs has lasted for two seconds, and goes on [TOK-7]', async (t) => {
  const names = Array.from({ length: 80 }, (_, at) => `U${at}`)
  const app = await startWith(...names)
  t.after(app.close)
  const revoked: number[] = []
  for (const name of names) {
    await signOut(app, name)
    app.clock.forward(40)
    await settle()
    revoked.push(app.heard('revocation').length / 2)
  }
  // The first was alone.
  assert.deepEqual(
    revoked.slice(0, 40),
    Array.from({ length: 40 }, () => 1),
  )
  // At 3.2 seconds who left in the first one is not waiting any more.
  assert.ok((revoked.at(-1) ?? 0) > 25, `revoked: ${revoked.at(-1)}`)
})
