import type { Place } from 'coatcheck'
import { msalRemains } from 'coatcheck/msal'
import type { MsalCacheConfiguration } from '../configuration/configuration.ts'
import { openRedis } from '../configuration/open-redis.ts'
import type { Logger } from '../server/log.ts'

/** A Redis in which Microsoft's libraries keep tokens, as a place that a sign-out reaches. */
export async function openMsalPlace(
  { name, servers, keys, withinSeconds }: MsalCacheConfiguration,
  logger?: Logger,
): Promise<{ readonly place: Place; close(): void }> {
  const { client, close } = await openRedis(servers)
  // The library tells of a place that fails; without a listener the driver prints its errors.
  client.on('error', () => undefined)
  const place = msalRemains(client, {
    name,
    keys,
    ...(withinSeconds !== undefined && { withinSeconds }),
    observe({ receipt, ...found }) {
      const isComplete = found.unreadable === 0 && found.accounts > 0
      logger?.[isComplete ? 'debug' : 'warn']('msal_cache_examined', {
        place: name,
        receipt,
        ...found,
      })
    },
  })
  return { place, close }
}
