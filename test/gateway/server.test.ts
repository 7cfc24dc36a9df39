import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryStore } from '#coatcheck/stores/memory'
import { createMetrics } from '#gateway/server/metrics'
import { root } from '../../scripts/run.mjs'
import { deploy, KEY, upstream } from './under-test.ts'

test('It is healthy while it runs, and ready while the store answers', async (t) => {
  const store = brokenStore()
  const { origin } = await deploy(t, { upstream: 'http://127.0.0.1:1', parts: { store } })
  assert.equal((await fetch(`${origin}/healthz`)).status, 200)
  const ready = await fetch(`${origin}/readyz`)
  assert.equal(ready.status, 200)
  assert.equal((await ready.json()).store, 'ok')
  store.isAway = true
  const away = await fetch(`${origin}/readyz`)
  assert.equal(away.status, 503)
  assert.equal((await away.json()).store, 'store_unavailable')
  assert.equal((await fetch(`${origin}/healthz`)).status, 200)
})

test('While the store is away who may be signed in gets 503, keeps the cookie, and is served again afterwards', async (t) => {
  const app = await upstream(t)
  const store = brokenStore()
  const { origin, signedIn } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    parts: { store },
  })
  const browser = await signedIn()
  store.isAway = true
  const page = await browser.get(origin)
  assert.equal(page.status, 503)
  assert.equal(page.headers.get('set-cookie'), null)
  assert.match(page.text, /not possible right now/)
  assert.equal(app.requests.length, 0)
  // Nothing has to be known of a browser that brings no cookie.
  assert.equal((await fetch(origin)).status, 200)
  store.isAway = false
  await retry(async () => assert.equal((await browser.get(origin)).status, 200))
})

test('Metrics count requests, sign-outs by cause, revocations and what is open; on their own port only', async (t) => {
  const app = await upstream(t)
  const { origin, gateway, signedIn } = await deploy(t, {
    upstream: app.url,
    over: { operations: { host: '127.0.0.1', port: 0 } },
  })
  const browser = await signedIn()
  await browser.get(`${origin}/page`)
  await fetch(`${origin}/page`)
  await browser.post(`${origin}/auth/sign-out`)
  const answer = await fetch(`${gateway.operationsUrl}/metrics`)
  const text = await answer.text()
  for (const line of [
    'coatcheck_requests_total{application="app",status="2xx"} 1',
    'coatcheck_requests_total{application="app",status="4xx"} 1',
    'coatcheck_sign_ins_total{outcome="done"} 1',
    'coatcheck_sign_outs_total{cause="user"} 1',
    'coatcheck_sessions_removed_total{cause="user"} 1',
    'coatcheck_open_streams 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\n${text}`)
  }
  for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes']) {
    const [, bytes] = new RegExp(`^${name} (\\d+)$`, 'm').exec(text) ?? []
    assert.ok(Number(bytes) > 1_000_000, `${name}\n${text}`)
  }
  assert.equal((await fetch(`${gateway.operationsUrl}/readyz`)).status, 200)
  // The application may have these paths itself then.
  assert.equal((await fetch(`${origin}/metrics`)).status, 401)
})

test('The manual names every metric, with what it counts and its labels, and no other', async () => {
  const said = await createMetrics(() => 0).text()
  const counted = [...said.matchAll(/^# HELP (\w+) (.*)$/gm)].map(([, name, help]) => [name, help])
  const manual = await readFile(join(root, 'packages/gateway/README.md'), 'utf8')
  const rows = manual.matchAll(/^\| `((?:coatcheck|process|nodejs)_\w+)` \| [^|]* \| (.*) \|$/gm)
  assert.deepEqual(
    [...rows].map(([, name, help]) => [name, help]),
    counted,
  )
})

test('Without a port of their own metrics are not for the public', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, { upstream: app.url })
  const answer = await fetch(`${origin}/metrics`)
  assert.equal(answer.status, 401)
})

test('It starts while the provider is down, says so, and signs in once it is back', async (t) => {
  const app = await upstream(t)
  const { origin, provider, lines, browser } = await deploy(t, {
    upstream: app.url,
    providerDown: true,
  })
  await retry(async () => assert.match(lines.join(''), /"provider_not_reached"/))
  const during = await browser().get(origin)
  assert.equal(during.status, 503)
  assert.match(during.text, /identity provider does not answer/)
  await provider.start()
  await retry(async () => {
    const page = await browser().get(origin)
    assert.equal(page.status, 200)
  })
  await retry(async () => assert.match(lines.join(''), /"provider_reached"/))
})

test('A load balancer keeps a gateway whose provider is down, and an operator reads that it is', async (t) => {
  const { origin } = await deploy(t, { upstream: 'http://127.0.0.1:1', providerDown: true })
  const ready = await fetch(`${origin}/readyz`)
  assert.equal(ready.status, 200)
  assert.deepEqual(await ready.json(), { store: 'ok', provider: 'not_reached_yet' })
})

test('Nothing secret and no query string comes into the log, whatever happens', async (t) => {
  const app = await upstream(t)
  const { origin, signedIn, provider, lines, gateway } = await deploy(t, { upstream: app.url })
  const browser = await signedIn()
  await browser.get(`${origin}/page?query=of-the-application`)
  await browser.get(`${origin}/auth/callback?code=made-up&state=made-up`)
  await gateway.auth.signOut({ subject: 'U1' })
  const text = lines.join('')
  assert.match(text, /"signed_out"/)
  for (const secret of [
    ...provider.secrets().filter(({ length }) => length > 11),
    ...browser.cookies.map(({ value }) => value),
    KEY,
    'of-the-application',
    'made-up',
  ]) {
    assert.equal(text.includes(secret), false)
  }
})

test('At the end a request under way is still answered, streams are closed, and nobody new gets in', async (t) => {
  let finish = (): void => {}
  const app = await upstream(t, (incoming, response) => {
    if (incoming.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      return
    }
    finish = () => response.end('done')
    app.server.emit('waiting')
  })
  const { origin, gateway, signedIn } = await deploy(t, { upstream: app.url })
  const cookie = (await signedIn()).cookieHeader(origin)
  const events = request(`${origin}/events`, { headers: { cookie }, agent: false })
  events.end()
  const [stream] = await once(events, 'response')
  stream.on('error', () => {})
  const streamEnded = new Promise((resolve) => stream.once('close', resolve))
  await once(stream, 'data')
  const waiting = once(app.server, 'waiting')
  const outgoing = request(`${origin}/slow`, { headers: { cookie }, agent: false })
  outgoing.end()
  await waiting
  const closed = gateway.close()
  await streamEnded
  await retry(async () => assert.equal(await canConnect(origin), false))
  finish()
  const [answer] = await once(outgoing, 'response')
  let text = ''
  for await (const chunk of answer) text += chunk
  assert.equal(text, 'done')
  await closed
})

test('At the end whoever takes longer than may be waited for is cut off', async (t) => {
  const app = await upstream(t, () => {
    app.server.emit('waiting')
  })
  const { origin, gateway } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    parts: { drainSeconds: 0.1 },
  })
  const waiting = once(app.server, 'waiting')
  const outgoing = request(origin, { agent: false })
  const failed = once(outgoing, 'error')
  outgoing.end()
  await waiting
  await gateway.close()
  await failed
})

test('A port that is taken is an error at the start, and nothing is left listening', async (t) => {
  const { gateway, another, configuration } = await deploy(t, { upstream: 'http://127.0.0.1:1' })
  const taken = Number(new URL(gateway.url).port)
  const operations = { host: '127.0.0.1', port: taken }
  await assert.rejects(another({ operations }), { code: 'EADDRINUSE' })
  assert.equal(configuration.listen.port, taken)
})

test('Who a request comes from is believed of trusted proxies only', async (t) => {
  const app = await upstream(t)
  const headersVia = async (trustedProxies: string[]): Promise<Record<string, string>> => {
    const { origin } = await deploy(t, {
      applications: [{ upstream: app.url, access: 'public' }],
      trustedProxies,
    })
    const answer = await fetch(origin, {
      headers: {
        'x-forwarded-for': '203.0.113.7, 10.1.2.3',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'for=1.2.3.4',
      },
    })
    return (await answer.json()).headers
  }
  const believed = await headersVia(['127.0.0.1', '10.0.0.0/8'])
  assert.equal(believed['x-real-ip'], '203.0.113.7')
  assert.equal(believed['x-forwarded-for'], '203.0.113.7, 10.1.2.3, 127.0.0.1')
  const notBelieved = await headersVia([])
  assert.equal(notBelieved['x-real-ip'], '127.0.0.1')
  assert.equal(notBelieved['x-forwarded-for'], '127.0.0.1')
  for (const headers of [believed, notBelieved]) {
    assert.match(headers['x-forwarded-host'] ?? '', /^127\.0\.0\.1:\d+$/)
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.equal(headers['forwarded'], undefined)
  }
})

test('An application cannot set a cookie of ours, nor read one', async (t) => {
  const app = await upstream(t, (incoming, response) => {
    response.setHeader('set-cookie', [
      '__Host-coatcheck=planted; Path=/',
      'coatcheck-1.in.x=y',
      // Without a name: browsers send it as its value.
      '=coatcheck-1=planted; Path=/',
      'own=1',
    ])
    response.end(String(incoming.headers.cookie))
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const cookie = 'a=1; coatcheck-4180=x; __Host-coatcheck.in.q=y; coatchecker=2; b=coatcheck=3'
  const answer = await fetch(origin, { headers: { cookie } })
  assert.deepEqual(answer.headers.getSetCookie(), ['own=1'])
  assert.equal(await answer.text(), 'a=1; coatchecker=2; b=coatcheck=3')
})

/** A store that can be out of reach. */
function brokenStore() {
  const state = { isAway: false }
  return new Proxy(memoryStore(), {
    get(target, name) {
      if (name in state) return Reflect.get(state, name)
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return (...given: unknown[]) => {
        if (state.isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
        return Reflect.apply(method, target, given)
      }
    },
    set: (_, name, value) => Reflect.set(state, name, value),
  }) as ReturnType<typeof memoryStore> & typeof state
}

/** Until it holds: for what happens by itself, a little later. */
async function retry(attempt: () => Promise<void>): Promise<void> {
  for (let left = 200; ; left -= 1) {
    try {
      return await attempt()
    } catch (error) {
      if (left === 0) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}

function canConnect(origin: string): Promise<boolean> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
