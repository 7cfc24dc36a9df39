import assert from 'node:assert/strict'
import type { RunningExample } from './run.ts'

/** Signs in, has the API called with the token, signs out at the provider, and is nobody then. */
export async function assertSignsOut(example: RunningExample): Promise<void> {
  const { origin, provider, browser, presented } = example
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
}
