import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { AuthOptions } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { type Application, settle, startApplication, startClock } from '../support/application.ts'

/** An application whose background work goes by the test's clock. */
function startByClock(options: Partial<AuthOptions> = {}): Promise<Application> {
  const clock = startClock()
  return startApplication({ ...options, [environment]: { wait: clock.wait }, given: { clock } })
}

async function forward(app: Application, milliseconds: number): Promise<void> {
  app.clock.forward(milliseconds)
  await settle()
}

/** Somebody signed in, and the provider signed them out. */
async function startSignedOut(change: (app: Application) => void): Promise<{
  app: Application
  outcomes: () => string[]
}> {
  const app = await startByClock()
  change(app)
  await app.signedIn({ sub: 'U1', sid: 'S1' })
  app.clock.forward(1000)
  await app.logout(await app.provider.logoutToken())
  await settle()
  return {
    app,
    outcomes: () => app.heard('revocation').map(({ token, outcome }) => `${token} ${outcome}`),
  }
}

it('revokes the refresh token, then the access token, and tells each answer [TOK-7, TOK-8]', async (t) => {
  const { app, outcomes } = await startSignedOut(() => {})
  t.after(app.close)
  assert.deepEqual(outcomes(), ['refresh_token confirmed', 'access_token confirmed'])
  assert.equal(app.heard('revocation')[0]?.receipt, app.heard('signed_out')[0]?.receipt.id)
})

it('does not ask again for a kind of token the provider cannot revoke [TOK-8]', async (t) => {
  const { app, outcomes } = await startSignedOut(({ provider }) => {
    provider.next(
      'revocation',
      { status: 400, json: { error: 'unsupported_token_type' } },
      { times: Infinity },
    )
  })
  t.after(app.close)
  await forward(app, 600_000)
  assert.deepEqual(outcomes(), ['refresh_token unsupported', 'access_token unsupported'])
})

it('tries again after what Retry-After says, and the session is gone meanwhile [TOK-9]', async (t) => {
  const { app, outcomes } = await startSignedOut(({ provider }) => {
    provider.next('revocation', { status: 503, headers: { 'retry-after': '20' } })
  })
  t.after(app.close)
  assert.deepEqual(outcomes(), ['refresh_token failed', 'access_token confirmed'])
  assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  await forward(app, 10_000)
  assert.equal(outcomes().length, 2)
  await forward(app, 11_000)
  assert.deepEqual(outcomes().slice(2), ['refresh_token confirmed'])
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
})

it('goes on while the provider is down, in another process too, and confirms when it is back [TOK-9]', async (t) => {
  const { app, outcomes } = await startSignedOut(({ provider }) => {
    provider.next('revocation', { wire: 'drop' }, { times: 4 })
  })
  t.after(app.close)
  for (let round = 0; round < 3; round += 1) {
    await forward(app, 300_000)
  }
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
  assert.equal(outcomes().at(-1)?.endsWith('confirmed'), true)
  const handed = app.another()
  await settle()
  assert.equal(app.provider.count('revocation'), 6)
  await handed.close()
})

it('gives up after a day, and says so loudly [TOK-9]', async (t) => {
  const { app, outcomes } = await startSignedOut(({ provider }) => {
    provider.next('revocation', { status: 500 }, { times: Infinity })
  })
  t.after(app.close)
  for (let hour = 0; hour < 25; hour += 1) {
    await forward(app, 3_600_000)
  }
  assert.deepEqual(outcomes().slice(-2), ['refresh_token abandoned', 'access_token abandoned'])
  const asked = app.provider.count('revocation')
  await forward(app, 3_600_000)
  assert.equal(app.provider.count('revocation'), asked)
})

it('is done once, also with several workers', async (t) => {
  const app = await startByClock()
  t.after(app.close)
  app.another()
  app.another()
  await app.signedIn({ sub: 'U1', sid: 'S1' })
  app.clock.forward(1000)
  await app.logout(await app.provider.logoutToken())
  await settle()
  await settle()
  assert.equal(app.provider.count('revocation'), 2)
})

it('revokes the tokens of somebody who never came back [TOK-15]', async (t) => {
  const app = await startByClock({ session: { idleSeconds: 600 } })
  t.after(app.close)
  await app.signedIn({ sub: 'U1', sid: 'S1' })
  await forward(app, 660_000)
  await settle()
  assert.equal(app.heard('signed_out')[0]?.receipt.cause, 'expired')
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
})
