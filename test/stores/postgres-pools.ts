import pg from 'pg'
import type { PostgresAnswer, PostgresClient, PostgresPool } from '#coatcheck/stores/postgres'
import type { PostgresAddress } from '../servers/postgres.ts'
import { until } from '../servers/until.ts'

/** A pool that does something else, or more, at its statements: `ask` asks the server as it was to be. */
export function intercept(
  pool: pg.Pool,
  query: (
    client: PostgresClient,
    ask: () => Promise<PostgresAnswer>,
    text: string,
    values: unknown[],
  ) => Promise<PostgresAnswer>,
): PostgresPool {
  return {
    on: () => {},
    off: () => {},
    async connect() {
      const client: PostgresClient = await pool.connect()
      return {
        on: (event, listener) => client.on(event, listener),
        off: (event, listener) => client.off(event, listener),
        release: (error) => client.release(error),
        query: (statement) =>
          query(client, () => client.query(statement), statement.text, statement.values ?? []),
      }
    },
  }
}

/** A pool of its own for one test, with these settings. */
export async function withPool(
  server: PostgresAddress,
  config: pg.PoolConfig,
  work: (pool: pg.Pool) => Promise<void>,
): Promise<void> {
  const own = new pg.Pool({ ...server.config, ...config })
  const open = new Set<pg.PoolClient>()
  own.on('connect', (client) => {
    open.add(client)
    client.once('end', () => open.delete(client))
  })
  try {
    await work(own)
  } finally {
    await own.end()
    // `pg` says so before its connections are closed: one that hears of the server's end meanwhile
    // has nobody to tell, and would end the process.
    await until('its connections are closed', () => open.size === 0)
  }
}
