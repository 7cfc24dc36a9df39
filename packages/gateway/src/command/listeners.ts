import { createServer } from 'node:http'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { listenAt } from '../server/listen.ts'

/** A setting that names a port, and where that is. */
export interface Listener {
  readonly setting: string
  readonly host: string
  readonly port: number
}

/** The ports that a gateway listens at. */
export function listenersOf(configuration: GatewayConfiguration): Listener[] {
  const settings = ['listen', 'forwardAuth', 'tokenEndpoint', 'operations'] as const
  return settings.flatMap((setting) => {
    const where = configuration[setting]
    if (where === undefined || 'socket' in where) return []
    return { setting, host: where.host, port: where.port }
  })
}

/**
 * Why it cannot be listened at a port that the gateway which runs has not got itself; nothing where
 * it can. Whoever closes that one first has nobody listening while it finds out.
 */
export async function listenFailure(
  next: GatewayConfiguration,
  running: GatewayConfiguration,
): Promise<unknown> {
  const own = listenersOf(running).map(({ port }) => port)
  for (const { setting, host, port } of listenersOf(next)) {
    if (own.includes(port)) continue
    const trial = createServer()
    try {
      await listenAt(trial, { host, port })
    } catch (error) {
      return Object.assign(error as Error, { setting })
    } finally {
      await new Promise((resolve) => trial.close(resolve))
    }
  }
  return undefined
}
