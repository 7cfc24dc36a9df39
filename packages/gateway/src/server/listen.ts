import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'

/** Listens there. Rejects where it cannot, such as on a port that is taken. */
export async function listenAt(
  server: Server,
  where: { readonly host: string; readonly port: number } | { readonly socket: string },
): Promise<string> {
  if ('socket' in where) await removeLeftover(where.socket)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen('socket' in where ? { path: where.socket } : where, () => {
      server.off('error', reject)
      resolve()
    })
  })
  if (!('socket' in where)) {
    const scheme = server instanceof TlsServer ? 'https' : 'http'
    return urlOf(scheme, server.address() as AddressInfo)
  }
  // Whoever may write to it asks for tokens: this user and its group.
  chmodSync(where.socket, 0o660)
  return `unix:${where.socket}`
}

/** Stops listening; what is under way gets this long. */
export async function stopServer(server: Server, graceMilliseconds: number): Promise<void> {
  if (!server.listening) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), graceMilliseconds)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** The address of a listener as a URL. */
export function urlOf(scheme: string, { address, family, port }: AddressInfo): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** A process that was killed leaves its socket behind; one that lives is left alone. */
async function removeLeftover(path: string): Promise<void> {
  const isSocket = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
  if (!isSocket || (await answers(path))) return
  unlinkSync(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
