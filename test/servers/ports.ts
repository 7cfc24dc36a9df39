import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/**
 * Free ports of 127.0.0.1 below those the system gives to outgoing connections: nobody's connection
 * sits on the port of a server that is to be started again.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = []
  while (servers.length < count) {
    const server = createServer()
    const listening = once(server, 'listening').then(
      () => true,
      () => false,
    )
    server.listen(FIRST + Math.floor(Math.random() * COUNT), '127.0.0.1')
    if (await listening) servers.push(server)
  }
  // All are held until all are found, or one might be found twice.
  return servers.map((server) => {
    const { port } = server.address() as AddressInfo
    server.close()
    return port
  })
}

const FIRST = 12_000
const COUNT = 20_000
