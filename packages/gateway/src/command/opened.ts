import { existsSync } from 'node:fs'
import { type Auth, type AuthEvent, createAuth } from 'coatcheck'
import { openPlaces } from '../applications/places.ts'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { Environment } from '../configuration/environment.ts'
import { loadConfiguration } from '../configuration/load.ts'
import { ConfigurationError } from '../configuration/mistake.ts'
import { authOptions, type OpenedStore, openStore } from '../configuration/open.ts'
import { signingKeys } from '../identity/signing-keys.ts'
import { WrongUse } from './failure.ts'
import { withStore } from './store-failure.ts'
import type { Terminal } from './terminal.ts'

/** What every command is given. */
export interface Invocation {
  readonly terminal: Terminal
  readonly environment: Environment
  /** `--config`, where it was written. */
  readonly config: string | undefined
}

/** A store that the gateway uses too, and what reads and removes sessions in it. */
export interface Opened {
  readonly configuration: GatewayConfiguration
  readonly opened: OpenedStore
  readonly auth: Auth
}

/** The handle of no session. */
const NOBODY = '0'.repeat(43)
const DEFAULT_FILE = 'coatcheck.yaml'

/** Which file is meant; none where everything is in the environment. */
export function fileOf({ config, environment }: Invocation): string | undefined {
  const named = config ?? (environment['COATCHECK_CONFIG'] || undefined)
  return named ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined)
}

/** The configuration of an invocation. Throws an error that says every mistake. */
export function configurationOf(invocation: Invocation): GatewayConfiguration {
  const file = fileOf(invocation)
  try {
    return loadConfiguration(file, invocation.environment)
  } catch (error) {
    if (file !== undefined || !(error instanceof ConfigurationError)) throw error
    throw new WrongUse(`There is no ${DEFAULT_FILE} here: name it with --config.\n${error.message}`)
  }
}

/** Opens the configured store for a command, and closes it behind it. */
export async function withOpened<T>(
  invocation: Invocation,
  use: (opened: Opened) => Promise<T>,
  observe: (event: AuthEvent) => void = () => undefined,
): Promise<T> {
  const configuration = configurationOf(invocation)
  if (configuration.store.kind === 'memory') {
    throw new WrongUse(
      'The store is `memory`, which nobody but the gateway itself can look into: write a folder, ' +
        'redis://… or postgres://… as store.',
    )
  }
  const { store } = configuration
  if (store.kind === 'lmdb' && !existsSync(store.path)) {
    throw new WrongUse(
      `There is no store in ${store.path}: no gateway has run with this configuration.`,
    )
  }
  const opened = await withStore(store, () => openStore(store))
  try {
    // A sign-out by a command reaches as far as one by the gateway.
    const { places, close } = await openPlaces(configuration, signingKeys(configuration.keys))
    try {
      const auth = createAuth({ ...authOptions(configuration, opened.store), places, observe })
      try {
        // Drivers wait for a server that is away, some of them for good; the library does not.
        await withStore(store, () => auth.sessions({ session: NOBODY }), opened.trouble)
        return await use({ configuration, opened, auth })
      } finally {
        await auth.close()
      }
    } finally {
      close()
    }
  } finally {
    await opened.close()
  }
}
