import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = (name: string): string =>
  fileURLToPath(new URL(`../support/tls/${name}`, import.meta.url))
const run = promisify(execFile)

/** A provider with a certificate of its own making, for localhost alone, valid for a century. */
async function startSecureServer(
  t: TestContext,
): Promise<{ readonly port: number; readonly requests: string[] }> {
  const requests: string[] = []
  const [key, cert] = ['localhost.key.pem', 'localhost.crt.pem'].map((name) =>
    readFileSync(here(name)),
  )
  const server = createServer({ key, cert }, (request, response) => {
    requests.push(request.url ?? '')
    const issuer = `https://${request.headers.host}`
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests }
}

/** What a process that trusts these authorities says of a provider. */
async function ask(issuer: string, trusted?: string): Promise<string> {
  const { NODE_EXTRA_CA_CERTS, NODE_TLS_REJECT_UNAUTHORIZED, ...others } = process.env
  const env = trusted === undefined ? others : { ...others, NODE_EXTRA_CA_CERTS: trusted }
  const { stdout } = await run(process.execPath, [here('ask.ts'), issuer], { env })
  return stdout.trim()
}

describe('a provider over TLS', () => {
  it('is not asked anything where its certificate is not trusted [DIS-4, COR-11]', async (t) => {
    const { port, requests } = await startSecureServer(t)
    const said = await ask(`https://localhost:${port}`)
    assert.match(said, /^provider_unreachable .*DEPTH_ZERO_SELF_SIGNED_CERT/)
    assert.deepEqual(requests, [])
  })

  it('is not asked anything where its certificate is for another host [DIS-4, COR-11]', async (t) => {
    const { port, requests } = await startSecureServer(t)
    const said = await ask(`https://127.0.0.1:${port}`, here('localhost.crt.pem'))
    assert.match(said, /^provider_unreachable .*ERR_TLS_CERT_ALTNAME_INVALID/)
    assert.deepEqual(requests, [])
  })

  it('is asked where its certificate is good [DIS-4]', async (t) => {
    const { port, requests } = await startSecureServer(t)
    assert.equal(await ask(`https://localhost:${port}`, here('localhost.crt.pem')), 'reached')
    assert.deepEqual(requests, ['/.well-known/openid-configuration'])
  })
})
