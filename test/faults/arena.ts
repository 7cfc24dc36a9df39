import type { RawContents } from '#coatcheck/testing/remains/entry'
import type { Place } from '../processes/place.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'
import type { Fault } from './rounds.ts'
import type { World } from './world.ts'

/** A kind of store on real servers, and what may befall these. */
export interface Arena {
  readonly name: string
  /** Where the n-th process keeps its records. */
  place(nth: number): Place
  /** What befalls the servers, and the way to them. */
  faults(world: World): readonly Fault[]
  /** Shows all that the servers hold now. */
  examine<Found>(look: (contents: RawContents) => Promise<Found>): Promise<Found>
  close(): Promise<void>
}

/** A way to each of several servers, and what may befall all of them at once. */
export interface Ways {
  readonly proxies: readonly TcpProxy[]
  /** By the address of a server, that of the way to it. */
  readonly addresses: Readonly<Record<string, { host: string; port: number }>>
  readonly faults: readonly Fault[]
  close(): Promise<void>
}

/** Puts a proxy before each server. */
export async function startWays(servers: readonly { readonly port: number }[]): Promise<Ways> {
  const proxies = await Promise.all(servers.map((server) => startTcpProxy(server)))
  const addresses = Object.fromEntries(
    servers.map(({ port }, at) => [
      `${HOST}:${port}`,
      { host: HOST, port: proxies[at]?.port ?? 0 },
    ]),
  )
  const all = async (what: (proxy: TcpProxy) => void | Promise<void>): Promise<void> =>
    void (await Promise.all(proxies.map(what)))
  const fault = (kind: string, what: (proxy: TcpProxy) => void | Promise<void>): Fault => ({
    kind,
    async befall() {
      await all(what)
      return () => all((proxy) => proxy.restore())
    },
  })
  return {
    proxies,
    addresses,
    faults: [
      fault('network slow: 150 ms each way', (proxy) => proxy.delay(150)),
      fault('network cut', (proxy) => proxy.cut()),
      fault('network half-open', (proxy) => proxy.halfOpen()),
    ],
    close: () => all((proxy) => proxy.close()),
  }
}

const HOST = '127.0.0.1'
