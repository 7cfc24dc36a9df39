import assert from 'node:assert/strict'
import { it } from 'node:test'
import { readClaims } from '#coatcheck/testing/provider/jwt'
import { runBackChannelModule } from './support.ts'

it('answers 200 to an untyped logout token with unknown parameters and claims, and signs the other browsers out [BCL-1, BCL-2, BCL-11, BCL-12, BCL-41, BCL-43, COR-24, RPI-12]', async (t) => {
  const { app, delivery, elsewhere } = await runBackChannelModule(t)
  assert.equal(delivery.status, 200)
  assert.equal(delivery.body, '')
  assert.equal(await app.auth.session(app.as(elsewhere)), undefined)
  const removed = app.heard('signed_out').map(({ receipt }) => [receipt.cause, receipt.removed])
  assert.deepEqual(removed, [
    ['user', 1],
    ['back_channel', 1],
  ])
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
