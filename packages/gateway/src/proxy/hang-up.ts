import type { Duplex } from 'node:stream'

/** Whoever was told that this is the end gets so long to hang up too. */
const LINGER = 5_000

/**
 * Ends a socket that is no longer HTTP's. Nobody reads it, and no limit of
 * the server holds for it: unread bytes, or a client that stays, would keep it open for ever.
 */
export function hangUp(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  socket.resume()
  socket.end()
}
