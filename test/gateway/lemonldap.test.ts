import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'node:test'
import { type AuthEvent, createAuth } from '#coatcheck'
import { nodeAuth, requireSession } from '#coatcheck/adapters/node'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { lmdbContents } from '#coatcheck/testing/remains/lmdb'
import { loadConfiguration } from '#gateway/configuration/load'
import { openStore } from '#gateway/configuration/open'
import { startGateway } from '#gateway/server/start'
import { openEnvironment } from '../stores/environment.ts'
import { KEY, type Serve, testSignOutsAtLemonLdap } from './lemonldap-flows.ts'
import { upstream } from './under-test.ts'

const SCOPE = 'openid profile email offline_access'

describe('LemonLDAP::NG, an application with the library', () => {
  testSignOutsAtLemonLdap(byItself)
})

describe('LemonLDAP::NG, an application behind the gateway', () => {
  testSignOutsAtLemonLdap(behindGateway)
})

async function byItself(...[t, given]: Parameters<Serve>): ReturnType<Serve> {
  const { origin, port, issuer, client } = given
  const { database, close } = openEnvironment()
  const events: AuthEvent[] = []
  const auth = createAuth({
    origin,
    provider: { issuer, clientId: client.id, clientSecret: client.secret },
    store: lmdbStore(database),
    keys: [KEY],
    scope: SCOPE,
    observe: (event) => events.push(event),
  })
  const ours = nodeAuth(auth)
  const required = requireSession(auth)
  const server = createServer(async (request, response) => {
    if (await ours(request, response)) return
    const session = await required(request, response)
    if (session) response.end(JSON.stringify({ subject: session.subject }))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await auth.close()
    await close()
  })
  return { auth, events, contents: lmdbContents(database) }
}

async function behindGateway(...[t, given]: Parameters<Serve>): ReturnType<Serve> {
  const application = await upstream(t, ({ headers }, response) => {
    response.end(JSON.stringify({ subject: headers['x-forwarded-user'] }))
  })
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-gateway-'))
  const file = join(folder, 'coatcheck.yaml')
  writeFileSync(
    file,
    `origin: ${given.origin}
listen: 127.0.0.1:${given.port}
provider:
  issuer: ${given.issuer}
  clientId: ${given.client.id}
  clientSecret: ${given.client.secret}
scope: ${SCOPE}
keys: [${KEY}]
store: ./sessions
log: silent
upstream: ${application.url}
`,
  )
  const configuration = loadConfiguration(file, {})
  const { store, contents = [], close } = await openStore(configuration.store)
  const events: AuthEvent[] = []
  const gateway = await startGateway(configuration, {
    store,
    observe: (event) => events.push(event),
  })
  t.after(async () => {
    await gateway.close()
    await close()
    rmSync(folder, { recursive: true })
  })
  return { auth: gateway.auth, events, contents }
}
