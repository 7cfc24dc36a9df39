import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { ask, askRaw } from './guard-ask.ts'
import {
  type Deployment,
  type DeploymentOptions,
  deploy,
  type Upstream,
  upstream,
} from './under-test.ts'

for (const [who, headers, status] of [
  ['a page of the same origin', { 'sec-fetch-site': 'same-origin' }, 200],
  ['a page of a sibling subdomain', { 'sec-fetch-site': 'same-site' }, 403],
  ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
  [
    'a page of another site that claims an origin',
    { 'sec-fetch-site': 'cross-site', origin: 'OURS' },
    403,
  ],
  ['an older browser, from the same origin', { origin: 'OURS' }, 200],
  ['an older browser, from another origin', { origin: 'https://evil.example' }, 403],
  ['an older browser, from a sandboxed frame', { origin: 'null' }, 403],
  ['an old browser, from a script that says so', { 'x-requested-with': 'fetch' }, 200],
  ['an old browser, from a form anywhere', { 'content-type': 'text/plain' }, 403],
] as const) {
  it(`a change that an API is asked for by ${who} gets ${status}`, async (t) => {
    const { origin, cookie, application } = await start(t, 'api')
    const all = Object.entries({ ...headers, cookie })
    const said = Object.fromEntries(
      all.map(([name, value]) => [name, value.replace('OURS', origin)]),
    )
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      assert.equal((await ask(`${origin}/coats`, { method, headers: said })).status, status, method)
    }
    assert.equal(application.requests.length, status === 200 ? 4 : 0)
  })
}

it('a link leads to what an API answers, and a script, an image or a frame of another origin does not', async (t) => {
  const { origin, cookie, application } = await start(t, 'api')
  const read = async (site: string, mode: string, dest: string): Promise<number | undefined> => {
    const headers = {
      cookie,
      'sec-fetch-site': site,
      'sec-fetch-mode': mode,
      'sec-fetch-dest': dest,
    }
    return (await ask(`${origin}/coats`, { headers })).status
  }
  assert.equal(await read('cross-site', 'navigate', 'document'), 200)
  assert.equal(await read('none', 'navigate', 'document'), 200)
  assert.equal(await read('same-origin', 'cors', 'empty'), 200)
  assert.equal(application.requests.length, 3)
  for (const site of ['same-site', 'cross-site']) {
    assert.equal(await read(site, 'no-cors', 'script'), 403)
    assert.equal(await read(site, 'no-cors', 'image'), 403)
    assert.equal(await read(site, 'cors', 'empty'), 403)
    assert.equal(await read(site, 'navigate', 'iframe'), 403)
  }
  assert.equal(application.requests.length, 3)
})

for (const [who, headers, status] of [
  ['another origin', { origin: 'https://evil.example' }, 403],
  ['a sandboxed frame', { origin: 'null' }, 403],
  ['the same origin', { origin: 'OURS' }, 200],
  ['nobody knows where', {}, 200],
  [
    'the same origin, as Fetch Metadata says',
    { origin: 'null', 'sec-fetch-site': 'same-origin' },
    200,
  ],
] as const) {
  it(`what an older browser reads of an API for a page of ${who} gets ${status}`, async (t) => {
    const { origin, cookie, application } = await start(t, 'api')
    const said: Record<string, string> = { ...headers, cookie }
    if (said['origin'] === 'OURS') said['origin'] = origin
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      assert.equal((await ask(`${origin}/coats`, { method, headers: said })).status, status, method)
    }
    assert.equal(application.requests.length, status === 200 ? 3 : 0)
  })
}

it('a program without a cookie is told to sign in, not that it is of another site', async (t) => {
  const { origin } = await start(t, 'api')
  const { status, text } = await ask(`${origin}/coats`, { method: 'POST' })
  assert.equal(status, 401)
  assert.equal(JSON.parse(text).code, 'sign_in_required')
})

it('an application that is no API decides itself whose forms it takes', async (t) => {
  const { origin, cookie } = await start(t, 'signed_in')
  const headers = { cookie, 'sec-fetch-site': 'cross-site' }
  assert.equal((await ask(`${origin}/`, { method: 'POST', headers })).status, 200)
})

it('a page of another origin opens no WebSocket with the cookie of the user, to whatever application', async (t) => {
  for (const access of ['public', 'signed_in', 'api'] as const) {
    const { origin, cookie, application } = await start(t, access)
    for (const from of ['https://evil.example', 'null', origin.replace('127.0.0.1', 'localhost')]) {
      const headers = { ...SOCKET, cookie, origin: from }
      assert.equal((await ask(`${origin}/socket`, { headers })).status, 403, `${access} ${from}`)
    }
    assert.equal(application.requests.length, 0)
  }
})

it('what an API says about other origins does not reach them', async (t) => {
  const { origin, cookie } = await start(t, 'api', {
    'access-control-allow-origin': 'https://evil.example',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'x-secret',
  })
  const { headers } = await ask(`${origin}/coats`, { headers: { cookie } })
  assert.deepEqual(
    Object.keys(headers).filter((name) => name.startsWith('access-control')),
    [],
  )
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
})

it('a font may be for everybody, but not with the cookie of the user', async (t) => {
  const { origin } = await start(t, 'public', {
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
  })
  const { headers } = await ask(`${origin}/font`)
  assert.equal(headers['access-control-allow-origin'], '*')
  assert.equal(headers['access-control-allow-credentials'], undefined)
})

it('a browser that asks for leave on behalf of another origin is given none', async (t) => {
  for (const access of ['signed_in', 'api'] as const) {
    const { origin, application } = await start(t, access, {
      'access-control-allow-origin': 'https://evil.example',
    })
    for (const path of ['/coats', '/auth/session', '/auth/sign-out', '/.well-known/jwks.json']) {
      const { headers } = await ask(`${origin}${path}`, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://evil.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type, x-requested-with',
        },
      })
      const permissions = Object.keys(headers).filter((name) => name.startsWith('access-control'))
      assert.deepEqual(permissions, [], `${access} ${path}`)
    }
    assert.equal(application.requests.length, 0)
  }
})

it('what the gateway says itself is framed, sniffed at and kept by nobody', async (t) => {
  const { origin } = await start(t, 'api')
  const { status, headers } = await ask(`${origin}/%00`, { headers: { accept: 'text/html' } })
  assert.equal(status, 400)
  const policy = String(headers['content-security-policy'])
  assert.match(policy, /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cache-control'], 'no-store')
})

it('adds security headers where the application has none, and leaves what it has', async (t) => {
  const plain = await start(t, 'public')
  const { headers } = await ask(`${plain.origin}/`)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['x-frame-options'], 'SAMEORIGIN')
  assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin')
  assert.equal(headers['strict-transport-security'], undefined, 'there is no https to insist on')

  const own = await start(t, 'public', {
    'content-security-policy': "frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
  })
  const { headers: kept } = await ask(`${own.origin}/`)
  assert.equal(kept['x-frame-options'], undefined)
  assert.equal(kept['referrer-policy'], 'no-referrer')
})

it('a browser that came by https is told to stay with it', async (t) => {
  const { gateway } = await start(t, 'public', {}, { over: { origin: 'https://apps.example' } })
  const { headers } = await ask(gateway.url)
  assert.equal(headers['strict-transport-security'], 'max-age=31536000')
})

it('so it is by whatever the gateway says itself', async (t) => {
  const { gateway } = await deploy(t, {
    applications: [
      { upstream: 'http://127.0.0.1:9', path: '/gone', access: 'public' },
      { upstream: 'http://127.0.0.1:9', path: '/app' },
    ],
    over: { origin: 'https://apps.example' },
  })
  for (const [path, status, headers] of [
    ['/nobodys', 404, {}],
    ['/%zz', 400, {}],
    ['/%00', 400, {}],
    ['/gone', 502, {}],
    ['/app', 401, {}],
    ['/app', 303, { accept: 'text/html' }],
    ['/app', 401, SOCKET],
    ['/gone', 502, SOCKET],
    ['/auth/session', 200, {}],
    ['/auth/sign-out', 200, {}],
    ['/.well-known/jwks.json', 200, {}],
    ['/healthz', 200, {}],
  ] as const) {
    const answer = await ask(gateway.url + path, { headers })
    assert.equal(answer.status, status, path)
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000', path)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', path)
  }
})

it('a request that names two hosts reaches nobody', async (t) => {
  const { gateway, application } = await start(t, 'public')
  const head = 'GET / HTTP/1.1\r\nHost: a.example\r\nhost: b.example\r\nConnection: close\r\n\r\n'
  assert.match(await askRaw(gateway.url, head), /^HTTP\/1\.1 400 .*host_ambiguous/s)
  assert.equal(application.requests.length, 0)
})

it('a body that is longer than allowed is refused before it is read, and one in chunks on its way', async (t) => {
  const { gateway, application } = await start(t, 'public', {}, { limits: { requestBytes: 1000 } })
  const told = await ask(gateway.url, { method: 'POST', headers: { 'content-length': 1001 } }, [
    'x'.repeat(1001),
  ])
  assert.equal(told.status, 413)
  assert.equal(application.requests.length, 0)

  const chunks = Array.from({ length: 11 }, () => 'x'.repeat(100))
  const counted = await ask(gateway.url, { method: 'POST' }, chunks)
  assert.equal(counted.status, 413)

  assert.equal((await ask(gateway.url, { method: 'POST' }, chunks.slice(1))).status, 200)
})

interface Started extends Pick<Deployment, 'origin' | 'gateway'> {
  /** Of a user who has signed in. */
  readonly cookie: string
  readonly application: Upstream
}

const SOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

async function start(
  t: TestContext,
  access: 'public' | 'signed_in' | 'api',
  answer: Readonly<Record<string, string>> = {},
  options: Pick<DeploymentOptions, 'limits' | 'over'> = {},
): Promise<Started> {
  const application = await upstream(t, async (request, response) => {
    // The whole body, as an application would.
    for await (const _ of request);
    response.writeHead(200, answer).end()
  })
  const { origin, gateway, signedIn } = await deploy(t, {
    applications: [{ upstream: application.url, access }],
    ...options,
  })
  if (access === 'public') return { origin, gateway, application, cookie: 'a=cookie' }
  const browser = await signedIn()
  application.requests.length = 0
  return { origin, gateway, application, cookie: browser.cookieHeader(origin) }
}
