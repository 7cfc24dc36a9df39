import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deploy, upstream } from './under-test.ts'

const PAGE = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }

/** Where a page leads, without going there. */
async function leadsTo(url: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual', headers: { ...PAGE, ...headers } })
  assert.equal(answer.status, 303)
  return answer.headers.get('location') ?? ''
}

test('Who opens the gateway by another of its names is signed in at its origin, and sees the page there', async (t) => {
  const app = await upstream(t)
  const { origin, browser } = await deploy(t, { upstream: app.url })
  const other = origin.replace('127.0.0.1', 'localhost')
  const page = await browser().get(`${other}/page?x=1`, { headers: PAGE })
  assert.deepEqual([page.status, String(page.url)], [200, `${origin}/page?x=1`])
})

test('A sign-in begun under another name goes to the origin before anything else, and once only', async (t) => {
  const app = await upstream(t)
  const { origin, provider } = await deploy(t, { upstream: app.url })
  const other = origin.replace('127.0.0.1', 'localhost')
  const first = await fetch(`${other}/auth/sign-in?return_to=%2Fpage`, { redirect: 'manual' })
  assert.deepEqual(first.headers.getSetCookie(), [])
  const location = new URL(first.headers.get('location') ?? '')
  assert.equal(location.origin, origin)
  assert.equal(location.searchParams.get('return_to'), '/page')
  assert.ok((await leadsTo(location.href)).startsWith(provider.issuer))
  // A load balancer that calls us so at the origin, too, does not send browsers round and round.
  const again = `${other}${location.pathname}${location.search}`
  assert.ok((await leadsTo(again)).startsWith(provider.issuer))
})

test('The name a trusted proxy was asked by counts, and that of nobody else; ports do not', async (t) => {
  const app = await upstream(t)
  const trusting = await deploy(t, { upstream: app.url, trustedProxies: ['127.0.0.1'] })
  const here = { 'x-forwarded-host': '127.0.0.1:8443' }
  const elsewhere = { 'x-forwarded-host': 'other.example' }
  const signIn = '/auth/sign-in'
  const { issuer } = trusting.provider
  assert.ok((await leadsTo(`${trusting.origin}${signIn}`, here)).startsWith(issuer))
  assert.ok((await leadsTo(`${trusting.origin}${signIn}`, elsewhere)).startsWith(trusting.origin))
  const alone = await deploy(t, { upstream: app.url })
  assert.ok(
    (await leadsTo(`${alone.origin}${signIn}`, elsewhere)).startsWith(alone.provider.issuer),
  )
  assert.equal(
    (await fetch(`${alone.origin.replace('127.0.0.1', 'localhost')}/healthz`)).status,
    200,
  )
})
