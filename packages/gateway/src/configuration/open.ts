import { mkdirSync } from 'node:fs'
import type { AuthOptions, TokenStore } from 'coatcheck'
import { lmdbOptions, lmdbStore } from 'coatcheck/stores/lmdb'
import { memoryStore } from 'coatcheck/stores/memory'
import { migratePostgres, postgresStore } from 'coatcheck/stores/postgres'
import { redisStore } from 'coatcheck/stores/redis'
import { lmdbContents, postgresContents, type RawContents, redisContents } from 'coatcheck/testing'
import type { GatewayConfiguration, RedisServers, StoreConfiguration } from './configuration.ts'
import { openRedis } from './open-redis.ts'

/** A store, and what was opened for it. */
export interface OpenedStore {
  readonly store: TokenStore
  /** Everything it holds, as an administrator's dump would show it; nothing of a process's memory. */
  readonly contents: RawContents | undefined
  /** Where it has its files, if they are on this machine. */
  readonly folder: string | undefined
  /** Makes what is missing of the tables; nothing where a store needs no such step. */
  readonly migrate: (() => Promise<void>) | undefined
  /** What its connection was last in trouble with, by a constant, where the driver says so. */
  readonly trouble?: () => string | undefined
  /** Closes the store and its connections. Comes after `auth.close()`. */
  close(): Promise<void>
}

/** A server that does not answer is given up before the next try of whoever waits for it. */
const CONNECT_TIMEOUT = 4_000

/**
 * Opens the configured store. Drivers are loaded when they are needed. A server that is away is no
 * error here: each call of the store tells, until it is back.
 */
export async function openStore(configuration: StoreConfiguration): Promise<OpenedStore> {
  switch (configuration.kind) {
    case 'memory':
      return openMemory()
    case 'lmdb':
      return openLmdb(configuration.path)
    case 'redis':
      return openInRedis(configuration.servers, configuration.confirmReplicas)
    case 'postgres':
      return openPostgres(configuration.url)
  }
}

/** What the library needs to know: everything but whom it tells, and who else hears of sign-outs. */
export function authOptions(configuration: GatewayConfiguration, store: TokenStore): AuthOptions {
  const { origin, keys, scope, session } = configuration
  const { clientSecret, clientAuthentication, idTokenSignedResponseAlg, strictLogoutTokens } =
    configuration.provider
  const { lifetimeSeconds, idleSeconds, revalidateSeconds } = session
  const { issuer, clientId, userInfo = false } = configuration.provider
  return {
    origin,
    keys,
    scope,
    store,
    userInfo,
    resources: resourcesOf(configuration),
    provider: {
      issuer,
      clientId,
      ...(clientSecret !== undefined && { clientSecret }),
      ...(clientAuthentication !== undefined && { clientAuthentication }),
      ...(idTokenSignedResponseAlg !== undefined && { idTokenSignedResponseAlg }),
      ...(strictLogoutTokens !== undefined && { strictLogoutTokens }),
    },
    session: {
      ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
      ...(idleSeconds !== undefined && { idleSeconds }),
      ...(revalidateSeconds !== undefined && { revalidateSeconds }),
    },
  }
}

/** A provider may refuse a token for a resource that was not asked for at sign-in (RFC 8707 2.2). */
function resourcesOf({ resources = [], applications }: GatewayConfiguration): string[] {
  const theirs = applications.flatMap(({ accessToken }) =>
    typeof accessToken === 'object' ? accessToken.resource : [],
  )
  return [...new Set([...resources, ...theirs])]
}

function openMemory(): OpenedStore {
  const store = memoryStore()
  return {
    store,
    contents: undefined,
    folder: undefined,
    migrate: undefined,
    close: () => store.close(),
  }
}

async function openLmdb(path: string): Promise<OpenedStore> {
  const { open } = await import('lmdb')
  // What is in it is sealed; who signed in when is nobody else's business either.
  mkdirSync(path, { recursive: true, mode: 0o700 })
  // A name with a dot in it is a folder's too.
  const database = open({ path, noSubdir: false, ...lmdbOptions })
  const store = lmdbStore(database)
  return {
    store,
    contents: lmdbContents(database),
    folder: path,
    migrate: undefined,
    async close() {
      await store.close()
      await database.close()
    },
  }
}

async function openInRedis(
  servers: RedisServers,
  confirmReplicas: number | undefined,
): Promise<OpenedStore> {
  const { client, trouble, close } = await openRedis(servers)
  const store = redisStore(client, confirmReplicas === undefined ? {} : { confirmReplicas })
  return {
    store,
    contents: redisContents(client),
    folder: undefined,
    migrate: undefined,
    trouble,
    async close() {
      await store.close()
      close()
    },
  }
}

async function openPostgres(connectionString: string): Promise<OpenedStore> {
  const { Pool } = await import('pg')
  const pool = new Pool({ connectionString, connectionTimeoutMillis: CONNECT_TIMEOUT })
  const store = postgresStore(pool)
  return {
    store,
    contents: postgresContents(pool),
    folder: undefined,
    migrate: () => migratePostgres(pool),
    async close() {
      await store.close()
      await pool.end()
    },
  }
}
