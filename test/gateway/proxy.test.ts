import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy, upstream } from './under-test.ts'

test('A page of an application that wants a user leads through the sign-in and back to it', async (t) => {
  const app = await upstream(t)
  const { origin, browser } = await deploy(t, { upstream: app.url })
  const page = await browser().get(`${origin}/some/page?with=query`)
  assert.equal(page.status, 200)
  assert.equal(page.url.href, `${origin}/some/page?with=query`)
  const { url, headers } = JSON.parse(page.text)
  assert.equal(url, '/some/page?with=query')
  assert.equal(headers['x-forwarded-user'], 'U1')
  assert.doesNotMatch(headers.cookie ?? '', /coatcheck/)
  assert.equal(app.requests.length, 1)
})

test('A program that is not signed in gets 401, and its request does not reach the application', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, { upstream: app.url })
  const answer = await fetch(`${origin}/data`, { headers: { accept: 'application/json' } })
  assert.equal(answer.status, 401)
  assert.equal((await answer.json()).code, 'sign_in_required')
  assert.equal(app.requests.length, 0)
})
