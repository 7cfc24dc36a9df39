import type { Place } from 'coatcheck'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { SigningKeys } from '../identity/signing-keys.ts'
import type { Logger } from '../server/log.ts'
import { applicationPlaces } from './application-place.ts'
import { openMsalPlace } from './msal-place.ts'

/** What a sign-out reaches besides the store, and the connections that takes. */
export interface OpenedPlaces {
  readonly places: readonly Place[]
  /** Comes after `auth.close()`. */
  close(): void
}

/** Every place of a configuration. One that is away is no error here: it is owed what it missed. */
export async function openPlaces(
  configuration: Pick<GatewayConfiguration, 'applications' | 'origin' | 'msal'>,
  keys: SigningKeys,
  logger?: Logger,
): Promise<OpenedPlaces> {
  const places = applicationPlaces(configuration, keys)
  const connections: { close(): void }[] = []
  function close(): void {
    for (const connection of connections) connection.close()
  }
  try {
    for (const cache of configuration.msal ?? []) {
      const { place, ...connection } = await openMsalPlace(cache, logger)
      connections.push(connection)
      places.push(place)
    }
    return { places, close }
  } catch (error) {
    close()
    throw error
  }
}
