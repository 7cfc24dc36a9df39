import { dirname, resolve } from 'node:path'
import type { GatewayConfiguration, RedisServers, StoreConfiguration } from './configuration.ts'
import { type Environment, withEnvironment } from './environment.ts'
import { ConfigurationError } from './mistake.ts'
import { relationMistakes } from './relations.ts'
import { parse } from './schema.ts'
import { withSecretFiles } from './secret-files.ts'
import { wholeSchema } from './settings.ts'
import { shapeMistakes } from './shape.ts'
import { noFile, readSource } from './source.ts'

/**
 * Reads the configuration: the file, where one is named, and the environment over it. Relative
 * paths in it are of the file's folder, or, without a file, of the folder this process runs in.
 * Throws a {@link ConfigurationError} with every mistake at once.
 */
export function loadConfiguration(
  file: string | undefined,
  environment: Environment,
): GatewayConfiguration {
  const schema = wholeSchema()
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  const written = file === undefined ? noFile : readSource(file)
  const laid = withEnvironment(written, environment, schema)
  const { source, mistakes } = withSecretFiles(laid.source, folder)
  const parsed = parse(source.tree)
  const all = [
    ...laid.mistakes,
    ...mistakes,
    ...('issues' in parsed ? shapeMistakes(parsed.issues, source, schema) : []),
    ...relationMistakes(source, folder),
  ]
  if (all.length > 0 || 'issues' in parsed) throw new ConfigurationError(all)
  return withAbsolutePaths(parsed.configuration, folder)
}

/** A gateway that is started again from another folder must not look for its sessions there. */
function withAbsolutePaths(
  configuration: GatewayConfiguration,
  folder: string,
): GatewayConfiguration {
  const { store, msal = [], listen, tokenEndpoint } = configuration
  const { tls } = listen
  return {
    ...configuration,
    store: storeFrom(folder, store),
    msal: msal.map((cache) => ({ ...cache, servers: serversFrom(folder, cache.servers) })),
    listen: {
      ...listen,
      tls: tls && {
        certificate: resolve(folder, tls.certificate),
        key: resolve(folder, tls.key),
      },
    },
    tokenEndpoint:
      tokenEndpoint && 'socket' in tokenEndpoint
        ? { socket: resolve(folder, tokenEndpoint.socket) }
        : tokenEndpoint,
  }
}

function storeFrom(folder: string, store: StoreConfiguration): StoreConfiguration {
  if (store.kind === 'lmdb') return { ...store, path: resolve(folder, store.path) }
  return store.kind === 'redis' ? { ...store, servers: serversFrom(folder, store.servers) } : store
}

function serversFrom(folder: string, servers: RedisServers): RedisServers {
  const from = (file: string | undefined): string | undefined => file && resolve(folder, file)
  const { tls } = servers
  return {
    ...servers,
    tls: tls && { ca: from(tls.ca), certificate: from(tls.certificate), key: from(tls.key) },
  }
}
