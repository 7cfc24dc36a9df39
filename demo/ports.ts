import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Somebody who needs a port. */
export interface Wanted {
  readonly who: string
  /** 0 for any that is free. */
  readonly port: number
}

/**
 * Listens on all the wanted ports, on this machine only, or on none: what is busy is said once,
 * for all of them, before anything was started.
 */
export async function listen(wanted: readonly Wanted[]): Promise<Server[]> {
  const servers = wanted.map(() => createServer())
  const tried = await Promise.allSettled(
    servers.map((server, at) => bound(server, wanted[at]?.port ?? 0)),
  )
  const refused = tried.flatMap((one, at) =>
    one.status === 'rejected' ? [refusal(wanted[at], one.reason)] : [],
  )
  if (refused.length === 0) return servers

  await Promise.all(servers.filter((server) => server.listening).map(closed))
  throw new Error(
    `${refused.join('\n')}\nChoose where the demo's ports begin: npm run demo -- --port 8400`,
  )
}

/** Listens again where a server listened before. */
export function bound(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Ends a server and every connection it has. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

function refusal(wanted: Wanted | undefined, reason: unknown): string {
  const code = (reason as NodeJS.ErrnoException).code
  const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`
  return `Port ${wanted?.port} ${why}; ${wanted?.who} wants it.`
}
