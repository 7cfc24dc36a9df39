import type { Listening, RedisArgument } from './client.ts'
import type { Driver, Primary, Written } from './driver.ts'
import type { Listeners } from './listeners.ts'

/** A primary whose one connection is known: what it answers in one epoch came over one socket. */
export interface DirectPrimary extends Primary {
  send(command: RedisArgument[]): Promise<unknown>
  write(command: RedisArgument[]): Promise<Written>
}

/** Makes primaries of clients that have one connection each; one of one client. */
export function directPrimaries<Client extends Listening>(
  sendTo: (client: Client, command: RedisArgument[]) => Promise<unknown>,
  listeners: Listeners,
): (client: Client) => DirectPrimary {
  const known = new WeakMap<Client, DirectPrimary>()
  return (client) => {
    const primary = known.get(client) ?? toPrimary(client, sendTo, listeners)
    known.set(client, primary)
    return primary
  }
}

function toPrimary<Client extends Listening>(
  client: Client,
  sendTo: (client: Client, command: RedisArgument[]) => Promise<unknown>,
  listeners: Listeners,
): DirectPrimary {
  let epoch = 0
  listeners.on(client, 'connect', () => {
    epoch += 1
  })
  const primary: DirectPrimary = {
    send: (command) => sendTo(client, command),
    // The epoch is read when the answer is there: a client may have sent again after it reconnected.
    async write(command) {
      const answer = await sendTo(client, command)
      return { answer, primary, epoch }
    },
    async wait(replicas, milliseconds) {
      const answer = await sendTo(client, ['WAIT', `${replicas}`, `${milliseconds}`])
      return { replicas: Number(answer), epoch }
    },
  }
  return primary
}

/**
 * What `send` and `write` are in a Cluster. The client routes a command by its key; one
 * that does not name the key it would send anywhere, or everywhere, so that goes to the owner
 * itself.
 */
export function clusterDriver(
  routed: (key: string, command: RedisArgument[]) => Promise<unknown>,
  primary: (key: string) => Promise<DirectPrimary>,
): Pick<Driver, 'kind' | 'send' | 'write'> {
  // Counts as a write, which no replica keeps to itself. Its own answer does not matter: whoever
  // asked asks again.
  const learn = (key: string): Promise<unknown> =>
    routed(key, ['GETEX', key]).catch(() => undefined)
  return {
    kind: 'cluster',
    async send(key, command) {
      if (!command.includes(key)) return (await primary(key)).send(command)
      try {
        return await routed(key, command)
      } catch (error) {
        if (!isOfReplica(error)) throw error
        await learn(key)
        return routed(key, command)
      }
    },
    async write(key, command) {
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          return await (await primary(key)).write(command)
        } catch (error) {
          if (!isRedirection(error) && !isOfReplica(error)) throw error
          // Redirected is not run. The client follows for a command that does no harm, and learns.
          await learn(key)
        }
      }
      // The slot is on its way to another node (ASK). The client gets there, but nobody can tell
      // for sure who ran it: an epoch that no WAIT will have.
      const answer = await routed(key, command)
      return { answer, primary: await primary(key), epoch: Symbol('unknown') }
    },
  }
}

function isRedirection(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK) /.test(error.message)
}

/**
 * A replica runs a script instead of redirecting it where it was connected to for reading: the
 * client has taken it for the primary that it was.
 */
function isOfReplica(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('READONLY ')
}
