import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { GatewayConfiguration } from '#gateway/configuration/configuration'
import { type Deployment, deploy, upstream } from './under-test.ts'

const API = 'https://api.example/'

test('An application asks with the JWT of the request, and gets an access token the API accepts', async (t) => {
  const { deployment, jwt, ask } = await start(t)
  const answer = await ask(`/token?resource=${encodeURIComponent(API)}`, await jwt())
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { access_token, token_type, expires_in, ...rest } = answer.body
  const known = deployment.provider.introspect(String(access_token))
  assert.equal(known?.family.session.sub, 'U1')
  assert.equal(token_type, 'Bearer')
  assert.ok(Number(expires_in) > 200)
  assert.deepEqual(Object.keys(rest), ['scope'])
  assert.equal(JSON.stringify(answer.body).includes('refresh'), false)
  const secrets = deployment.provider.issued.flatMap((one) =>
    'value' in one && one.kind === 'refresh_token' ? [one.value] : [],
  )
  for (const secret of secrets) assert.equal(JSON.stringify(answer.body).includes(secret), false)
})

test('An application behind another proxy asks with the JWT that came with its request, too', async (t) => {
  const deployment = await deploy(t, {
    applications: [],
    trustedProxies: ['127.0.0.1'],
    over: {
      tokenEndpoint: { host: '127.0.0.1', port: 0 },
      forwardAuth: { path: '/ask', application: 'behind', host: '127.0.0.1', port: 0 },
    },
  })
  const browser = await deployment.signedIn()
  const asked = await fetch(`${deployment.gateway.forwardAuthUrl}/ask`, {
    headers: { cookie: browser.cookieHeader(deployment.origin) },
  })
  const jwt = asked.headers.get('x-coatcheck-identity')
  const headers = { authorization: `Bearer ${jwt}` }
  const answer = await fetch(`${deployment.gateway.tokenEndpointUrl}/token`, { headers })
  assert.equal(answer.status, 200)
})

test('After the sign-out the same JWT brings nothing, although it has not expired', async (t) => {
  const { deployment, jwt, ask } = await start(t)
  const before = await jwt()
  assert.equal((await ask('/token', before)).status, 200)
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  const answer = await ask('/token', before)
  assert.equal(answer.status, 401)
  assert.deepEqual(answer.body, { error: 'sign_in_required' })
})

test('What is no JWT of ours brings nothing: 401', async (t) => {
  const { jwt, ask } = await start(t)
  const good = await jwt()
  for (const bad of [undefined, 'x', `${good}x`, good.slice(0, -4)]) {
    const answer = await ask('/token', bad)
    assert.equal(answer.status, 401)
    assert.deepEqual(answer.body, { error: 'invalid_token' })
    assert.equal(answer.headers['www-authenticate'], 'Bearer')
  }
})

test('A request that makes no sense is refused in the words of OAuth', async (t) => {
  const { jwt, ask } = await start(t)
  const good = await jwt()
  assert.equal((await ask('/token?scope=a&scope=b', good)).status, 400)
  assert.equal((await ask('/token?resource=not%20a%20uri', good)).status, 400)
  assert.equal((await ask('/elsewhere', good)).status, 404)
  assert.equal((await ask('/token', good, 'POST')).status, 405)
})

test('A scope or a resource that was not granted is a mistake of the application, and said to be', async (t) => {
  const { deployment, jwt, ask } = await start(t)
  const good = await jwt()
  const wider = await ask('/token?scope=openid%20admin', good)
  assert.deepEqual([wider.status, wider.body], [400, { error: 'invalid_scope' }])
  deployment.provider.next('token', { status: 400, json: { error: 'invalid_target' } })
  const other = await ask('/token?resource=https%3A%2F%2Fother.example', good)
  assert.deepEqual([other.status, other.body], [400, { error: 'invalid_target' }])
  deployment.provider.next('token', { status: 401, json: { error: 'invalid_client' } })
  const ours = await ask('/token?resource=https%3A%2F%2Fthird.example', good)
  assert.deepEqual([ours.status, ours.body], [502, { error: 'provider_refused' }])
})

test('A parameter that there is not is refused with the nearest that there is', async (t) => {
  const { jwt, ask } = await start(t)
  const good = await jwt()
  for (const [query, meant] of [
    ['RESOURCE=https%3A%2F%2Fapi.example', 'resource'],
    ['resources=https%3A%2F%2Fapi.example', 'resource'],
    ['scopes=openid', 'scope'],
    ['resource=https%3A%2F%2Fapi.example&Scope=openid', 'scope'],
  ] as const) {
    const { status, body } = await ask(`/token?${query}`, good)
    assert.equal(status, 400, query)
    assert.equal(body['error'], 'invalid_request')
    assert.match(String(body['error_description']), new RegExp(`did you mean ${meant}\\?`))
  }
  const audience = await ask('/token?x-secret=hidden', good)
  assert.equal(audience.status, 400)
  assert.ok(!JSON.stringify(audience.body).includes('secret'))
})

test('A request with two tokens is refused: nobody guesses which is meant', async (t) => {
  const { deployment, jwt } = await start(t)
  const good = await jwt()
  const { hostname, port } = new URL(deployment.gateway.tokenEndpointUrl ?? '')
  for (const other of [good, 'x']) {
    const outgoing = request({ hostname, port, path: '/token' })
    outgoing.setHeader('authorization', [`Bearer ${good}`, `Bearer ${other}`])
    outgoing.end()
    const [answer] = await once(outgoing, 'response')
    const body = JSON.parse(String(Buffer.concat(await answer.toArray())))
    assert.deepEqual([answer.statusCode, body.error], [400, 'invalid_request'])
  }
})

test('The public listener has no token endpoint', async (t) => {
  const { deployment, app, jwt } = await start(t)
  const answer = await fetch(`${deployment.origin}/token`, {
    headers: { authorization: `Bearer ${await jwt()}` },
  })
  assert.equal(answer.status, 401)
  assert.equal(
    app.requests.some(({ url }) => url === '/token'),
    false,
  )
})

test('It listens on a Unix socket that others may not open', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-'))
  t.after(() => rm(folder, { recursive: true }))
  const socket = join(folder, 'tokens')
  const { jwt, deployment } = await start(t, { socket })
  assert.equal(deployment.gateway.tokenEndpointUrl, `unix:${socket}`)
  assert.equal((await stat(socket)).mode & 0o777, 0o660)
  const good = await jwt()
  const outgoing = request({
    socketPath: socket,
    path: '/token',
    headers: { authorization: `Bearer ${good}` },
  })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  answer.resume()
  assert.equal(answer.statusCode, 200)
})

test('The JWKS is where the tokens are, too', async (t) => {
  const { deployment, ask } = await start(t)
  const { body } = await ask('/.well-known/jwks.json', undefined)
  const answer = await fetch(`${deployment.origin}/.well-known/jwks.json`)
  assert.deepEqual(body, await answer.json())
})

test('An application that wants the access token gets it with the request, and never the browser’s', async (t) => {
  const app = await upstream(t)
  const deployment = await deploy(t, {
    applications: [
      { upstream: app.url, access: 'api', accessToken: { resource: API, scope: undefined } },
    ],
  })
  const browser = await deployment.signedIn()
  const page = await browser.get(`${deployment.origin}/data`, {
    headers: { authorization: 'Bearer stolen' },
  })
  const { headers } = JSON.parse(page.text)
  const [, token = ''] = /^Bearer (.+)$/.exec(headers.authorization) ?? []
  assert.ok(deployment.provider.introspect(token))
  assert.equal(page.headers.get('cache-control'), 'no-store')
})

test('Where nobody is signed in, a public application that takes tokens gets none from outside', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public', accessToken: true }],
  })
  const answer = await fetch(origin, { headers: { authorization: 'Bearer stolen' } })
  assert.equal((await answer.json()).headers.authorization, undefined)
})

test('When the provider ends the session at a refresh, the API request is signed out', async (t) => {
  const app = await upstream(t)
  const deployment = await deploy(t, {
    applications: [{ upstream: app.url, access: 'api', accessToken: true }],
    provider: { settings: { accessTokenSeconds: 1 } },
  })
  const browser = await deployment.signedIn()
  deployment.provider.next('token', { status: 400, json: { error: 'invalid_grant' } })
  const page = await browser.get(`${deployment.origin}/data`)
  assert.equal(page.status, 401)
  assert.equal(app.requests.length, 0)
})

interface Told {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Record<string, unknown>
}

async function start(
  t: TestContext,
  tokenEndpoint: GatewayConfiguration['tokenEndpoint'] = { host: '127.0.0.1', port: 0 },
) {
  const app = await upstream(t)
  const deployment: Deployment = await deploy(t, { upstream: app.url, over: { tokenEndpoint } })
  const { origin, gateway } = deployment
  return {
    app,
    deployment,
    /** The JWT of a request of somebody who just signed in. */
    async jwt(): Promise<string> {
      const browser = await deployment.signedIn()
      const page = await browser.get(origin)
      return JSON.parse(page.text).headers['x-coatcheck-identity']
    },
    async ask(path: string, jwt: string | undefined, method = 'GET'): Promise<Told> {
      const headers = jwt === undefined ? {} : { authorization: `Bearer ${jwt}` }
      const answer = await fetch(gateway.tokenEndpointUrl + path, { method, headers })
      const body = (await answer.json()) as Told['body']
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body }
    },
  }
}
