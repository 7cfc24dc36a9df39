import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, responseModes, startModule, startServedModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`signs a user in and asks UserInfo, answered by ${responseMode} [COR-1, COR-4, COR-11]`, async (t) => {
    const app = await startModule(t, { responseMode })
    const session = await assertAccepted(app)
    assert.equal(session.subject, app.provider.user.sub)

    const { query } = await app.provider.received('authorization')
    const { method, form } = await app.provider.received('token')
    assert.equal(query.get('response_type'), 'code')
    assert.equal(query.get('redirect_uri'), `${app.origin}/auth/callback`)
    assert.equal(query.get('response_mode'), responseMode === 'query' ? null : responseMode)
    assert.equal(query.get('code_challenge_method'), 'S256')
    assert.ok(query.get('scope')?.split(' ').includes('openid'))
    assert.equal(method, 'POST')
    assert.equal(form.get('grant_type'), 'authorization_code')
    assert.equal(form.get('redirect_uri'), query.get('redirect_uri'))
    assert.ok(form.get('code_verifier'))
  })
}

it('signs a user in over real HTTP, and no token is ever in a URL [COR-8, COR-19]', async (t) => {
  const app = await startServedModule(t)
  const browser = app.browser()
  await assertAccepted(app, browser)
  const callback = browser.history.find(({ url }) => url.includes('/auth/callback'))
  assert.ok(new URL(callback?.url ?? '').searchParams.has('session_state'))
  const urls = [...browser.history, ...app.provider.requests].map(({ url }) => url).join(' ')
  const tokens = app.provider.issued.filter(({ kind }) => kind !== 'code')
  assert.equal(tokens.length, 3)
  for (const { kind, value } of tokens) assert.ok(!urls.includes(value), `${kind} in a URL`)
})
