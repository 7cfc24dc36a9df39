import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readClaims } from '#coatcheck/testing/provider/jwt'
import { assertAccepted, runBackChannelModule } from './support.ts'

it('answers 200 to an untyped logout token with unknown parameters and claims, though nobody is left to be signed out here [BCL-2, BCL-11, BCL-12, BCL-41, BCL-43, BCL-55, RPI-12]', async (t) => {
  const { app, delivery } = await runBackChannelModule(t)
  assert.equal(delivery.status, 200)
  assert.equal(delivery.body, '')
  const removals = app.heard('signed_out').filter(({ receipt }) => receipt.removed > 0)
  assert.deepEqual(
    removals.map(({ receipt }) => receipt.cause),
    ['user'],
  )
  // What the module is about was really sent.
  const [header = ''] = delivery.token.split('.')
  assert.deepEqual(Object.keys(JSON.parse(Buffer.from(header, 'base64url').toString())), [
    'alg',
    'kid',
  ])
  const claims = readClaims(delivery.token)
  assert.equal(claims.sid, app.provider.user.sid)
  assert.ok('ignored_claim' in claims)
})

it('signs out whoever such a token names, by a sid of any characters [BCL-1, COR-24]', async (t) => {
  const { app } = await runBackChannelModule(t)
  // Later than what the first token ended.
  app.clock.forward(1000)
  const browser = app.browser()
  const { sid } = await assertAccepted(app, browser)
  const deliveries = await app.provider.endSession(sid ?? '')
  assert.deepEqual(
    deliveries.map(({ status }) => status),
    [200],
  )
  assert.equal(await app.auth.session(app.as(browser)), undefined)
})
