import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createAuth } from '#coatcheck'
import { nodeAuth } from '#coatcheck/adapters/node'
import { memoryStore } from '#coatcheck/stores/memory'
import type { TestProvider } from '#coatcheck/testing/index'

/** Starts an application that has nothing to do with the gateway, at the same provider; its origin. */
export async function anotherApplication(t: TestContext, provider: TestProvider): Promise<string> {
  const server = createServer(async (request, response) => {
    if (!(await nodeAuth(auth)(request, response))) response.end('another application')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { client_secret = '' } = provider.register({ client_id: 'another', origin })
  const auth = createAuth({
    origin,
    provider: { issuer: provider.issuer, clientId: 'another', clientSecret: client_secret },
    store: memoryStore(),
    keys: ['a key of another application, of thirty-two bytes'],
  })
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await auth.close()
  })
  return origin
}
