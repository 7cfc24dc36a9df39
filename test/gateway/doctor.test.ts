import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { memoryStore } from '#coatcheck/stores/memory'
import { loadConfiguration } from '#gateway/configuration/load'
import { type Gateway, startGateway } from '#gateway/server/start'
import { freePorts } from '../servers/ports.ts'
import { type Deployment, deploy } from './command-line.ts'

interface Diagnosis {
  readonly code: number | null
  readonly coverage: readonly { who: string; heardBy: string[]; withinSeconds?: number }[]
  readonly backChannelArrives?: boolean
  readonly findings: readonly { level: string; about: string; text: string }[]
  readonly registration: Readonly<Record<string, unknown>>
}

async function diagnosed(at: Deployment, ...args: string[]): Promise<Diagnosis> {
  const { code, out, err } = await at.run('doctor', '--json', ...args)
  assert.equal(err, '')
  return { code, ...JSON.parse(out) }
}

async function deployed(t: TestContext): Promise<Deployment> {
  const at = await deploy()
  t.after(at.close)
  return at
}

/** A gateway in this process, by the configuration in a file. */
function started(file: string): Promise<Gateway> {
  const configuration = loadConfiguration(file, {})
  return startGateway({ ...configuration, log: { level: 'silent' } }, { store: memoryStore() })
}

/** Asserts that something was found of this level, and what it says. */
function finds({ findings }: Diagnosis, level: string, about: string, words: RegExp): void {
  const found = findings.filter((one) => one.about === about && words.test(one.text))
  assert.deepEqual(
    found.map((one) => one.level),
    [level],
    JSON.stringify(findings),
  )
}

describe('doctor', () => {
  it('finds nothing to mend in a deployment that works, and says what to register', async (t) => {
    const at = await deployed(t)
    const gateway = await at.gateway()
    const ended = await at.coatcheck('doctor')
    assert.equal(ended.code, 0, ended.out + ended.err)
    assert.match(ended.out, /the user, at another application +back-channel logout, front-channel/)
    assert.match(ended.out, /an administrator, here +ourselves +at once/)
    assert.match(ended.out, /fine +clock/)
    assert.match(ended.out, /fine +back-channel logout/)
    assert.doesNotMatch(ended.out, /^problem/m)
    assert.match(
      ended.out,
      new RegExp(`backchannel_logout_uri +${at.origin}/auth/backchannel-logout`),
    )
    assert.match(ended.out, /redirect_uris +\S+\/auth\/callback/)
    gateway.signal('SIGTERM')
    await gateway.ended
  })

  it('says which sign-outs will never be heard of, and what fills the gap', async (t) => {
    const at = await deployed(t)
    for (const name of [
      'backchannel_logout_supported',
      'backchannel_logout_session_supported',
      'frontchannel_logout_supported',
      'revocation_endpoint',
      'end_session_endpoint',
    ]) {
      delete at.provider.metadata[name]
    }
    at.provider.metadata['claims_supported'] = ['sub', 'email']
    const { out } = await at.run('doctor')
    assert.match(
      out,
      /the user, at another application +revalidation +15 min +back-channel logout, front-channel logout +revalidation/,
    )
    const said = await diagnosed(at)
    finds(said, 'warning', 'sign-out', /no back-channel logout.*asked every 900 s/)
    finds(said, 'warning', 'sign-out', /no revocation_endpoint/)
    finds(said, 'warning', 'sign-out', /no end_session_endpoint/)
    finds(said, 'warning', 'provider', /no sid/)
    assert.equal(said.code, 0)
    assert.equal((await diagnosed(at, '--strict')).code, 1)
  })

  it('does not count on a back channel that something else answers', async (t) => {
    const at = await deployed(t)
    const other = createServer((_request, response) => void response.writeHead(302).end())
    const port = Number(new URL(at.origin).port)
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve))
    t.after(() => other.close())
    const said = await diagnosed(at)
    assert.deepEqual([said.backChannelArrives, said.code], [false, 1])
    finds(said, 'problem', 'back-channel logout', /HTTP 302.*pass POST requests/)
    const { out } = await at.run('doctor')
    assert.match(
      out,
      /the user, at the provider +front-channel logout +12 h .* back-channel logout +the next/,
    )
  })

  it('says that the provider is away, and what to register there all the same', async (t) => {
    const at = await deployed(t)
    await at.provider.stop()
    const said = await diagnosed(at)
    finds(said, 'problem', 'provider.issuer', /ECONNREFUSED.*nobody listens there/)
    assert.equal(said.code, 1)
    assert.deepEqual(said.registration['redirect_uris'], [`${at.origin}/auth/callback`])
    await at.provider.start()
  })

  it('says that the issuer is another one, and how the provider writes it', async (t) => {
    const at = await deployed(t)
    at.provider.metadata.issuer = `${at.provider.issuer}/`
    const said = await diagnosed(at)
    finds(
      said,
      'problem',
      'provider.issuer',
      /calls itself "http:\/\/127\.0\.0\.1:\d+\/": write exactly/,
    )
    assert.equal(said.code, 1)
  })

  for (const [seconds, level, words] of [
    [-600, 'problem', /(59|60)\d s behind.*refused/],
    [600, 'problem', /(59|60)\d s ahead of/],
    [30, 'warning', /(2|3)\d s ahead of/],
  ] as const) {
    it(`says that the provider’s clock is ${seconds} s off`, async (t) => {
      const at = await deployed(t)
      at.provider.next(
        'discovery',
        (answer) => {
          answer.headers['date'] = new Date(Date.now() + seconds * 1000).toUTCString()
        },
        { times: Number.POSITIVE_INFINITY },
      )
      const said = await diagnosed(at)
      finds(said, level, 'clock', words)
    })
  }

  it('says what the provider cannot do of what is configured', async (t) => {
    const at = await deployed(t)
    at.configure('scope: openid groups')
    at.provider.metadata['token_endpoint_auth_methods_supported'] = ['private_key_jwt']
    at.provider.metadata['id_token_signing_alg_values_supported'] = ['ES256']
    at.provider.metadata['scopes_supported'] = ['openid', 'offline_access']
    const said = await diagnosed(at)
    finds(said, 'problem', 'provider.clientAuthentication', /private_key_jwt/)
    finds(said, 'problem', 'provider.idTokenSignedResponseAlg', /ES256/)
    finds(said, 'warning', 'scope', /groups/)
    finds(said, 'warning', 'scope', /offline_access/)
  })

  it('says which application does not answer, and whose logout tokens do not arrive', async (t) => {
    const at = await deployed(t)
    const gone = createServer()
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => gone.close(resolve))
    at.replace(
      /^upstream: (.*)$/m,
      `applications:
  - { name: wiki, path: /wiki, upstream: $1 }
  - { name: gone, path: /gone, upstream: "http://127.0.0.1:${port}" }
  - { name: apart, path: /apart, upstream: $1, backchannelLogoutUri: "http://127.0.0.1:${port}/out" }`,
    )
    const said = await diagnosed(at)
    finds(said, 'fine', 'applications (wiki)', /answers/)
    finds(said, 'problem', 'applications (gone)', /ECONNREFUSED/)
    finds(said, 'problem', 'applications (apart)', /outlive a sign-out/)
    assert.equal(said.code, 1)
  })

  it('says what is wrong with the origin and that its load balancer is not trusted', async (t) => {
    const at = await deployed(t)
    finds(await diagnosed(at), 'warning', 'origin', /Plain http is for development/)
    at.replace(/^origin: .*$/m, 'origin: https://gateway.invalid')
    finds(await diagnosed(at), 'warning', 'listen.trustedProxies', /load balancer/)
  })

  for (const access of ['public', 'signed_in', 'api']) {
    it(`says that browsers reach what other proxies ask, for an application that is ${access}`, async (t) => {
      const at = await deployed(t)
      const [port = 0, asked = 0] = await freePorts(2)
      at.configure(`forwardAuth: { path: /ask, port: ${asked} }`)
      at.replace(/^listen: .*$/m, `listen: { port: ${port}, trustedProxies: [127.0.0.1] }`)
      at.replace(
        /^upstream: (.*)$/m,
        `applications: [{ name: app, upstream: "$1", access: ${access} }]`,
      )
      const gateway = await started(at.file)
      t.after(() => gateway.close())
      let passedOn = gateway.url
      const proxy = createServer(async (request, response) => {
        const answer = await fetch(passedOn + request.url, { redirect: 'manual' })
        response.writeHead(answer.status, Object.fromEntries(answer.headers))
        response.end(await answer.text())
      })
      await new Promise<void>((resolve) => {
        proxy.listen(Number(new URL(at.origin).port), '127.0.0.1', resolve)
      })
      t.after(() => proxy.close())
      finds(await diagnosed(at), 'fine', 'forwardAuth', /do not reach it/)
      passedOn = gateway.forwardAuthUrl ?? ''
      const said = await diagnosed(at)
      finds(said, 'problem', 'forwardAuth', /Browsers reach it.*\/ask.*internal/)
      assert.equal(said.code, 1)
    })
  }

  it('says that the store is away, without the password of its address', async (t) => {
    const at = await deploy('redis://:hidden@127.0.0.1:9')
    t.after(at.close)
    const said = await diagnosed(at)
    finds(said, 'problem', 'store', /cannot be used/)
    assert.equal(JSON.stringify(said).includes('hidden'), false)
    const memory = await deploy('memory')
    t.after(memory.close)
    finds(await diagnosed(memory), 'warning', 'store', /memory of one process/)
  })
})
