import { once } from 'node:events'
import { connect } from 'node:net'
import { causeCode } from '../cause-code.ts'
import type { HostAndPort } from '../configuration/configuration.ts'

/** Why none of them can be reached; nothing where one can. */
export async function probe(addresses: readonly HostAndPort[]): Promise<string | undefined> {
  const failures = await Promise.all(addresses.map(failureAt))
  return failures.every((one) => one !== undefined) ? failures[0] : undefined
}

async function failureAt({ host, port }: HostAndPort): Promise<string | undefined> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PATIENCE) })
    return undefined
  } catch (error) {
    return causeCode(error) ?? 'timeout'
  } finally {
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

const PATIENCE = 2_000
