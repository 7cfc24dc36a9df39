import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runExample } from './run.ts'

it('the quick start signs in, calls the API with the token, and calls it no more after a sign-out at the provider', async (t) => {
  const { origin, provider, browser, presented } = await runExample(t, 'examples/express.ts')

  const page = await browser.get(origin)
  assert.equal(page.status, 200, page.text)
  assert.deepEqual(JSON.parse(page.text), ['a coat'])
  const token = presented[0]?.replace('Bearer ', '') ?? ''
  assert.ok(provider.introspect(token), 'the API was called with a token of the provider')

  const url = `${origin}/auth/backchannel-logout`
  assert.equal((await provider.sendLogout(url, await provider.logoutToken())).status, 200)

  const after = await fetch(origin, { headers: { cookie: browser.cookieHeader(origin) } })
  assert.equal(after.status, 401)
  assert.equal(presented.length, 1)
})
