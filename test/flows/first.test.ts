import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startApplication } from '../support/application.ts'

it('signs in, hands out a token, and hands out none after a back-channel logout', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
  const session = await app.auth.session(app.as(browser))
  assert.equal(session?.subject, 'U1')
  assert.equal(session?.sid, 'S1')
  const token = await app.auth.accessToken(app.as(browser))
  assert.ok(app.provider.introspect(token.value))
  const answer = await app.logout(await app.provider.logoutToken())
  assert.equal(answer.status, 200)
  assert.equal(await app.auth.session(app.as(browser)), undefined)
  await assert.rejects(app.auth.accessToken(app.as(browser)), { code: 'sign_in_required' })
  assert.equal(app.heard('signed_out')[0]?.receipt.removed, 1)
})
