import { Pool } from 'pg'
import { migratePostgres } from '#coatcheck/stores/postgres'
import { postgresContents } from '#coatcheck/testing/remains/postgres'
import { startPostgres as startServer } from '../servers/postgres.ts'
import { type Arena, startWays } from './arena.ts'

/** One Postgres that keeps what was committed. */
export async function startPostgres(): Promise<Arena> {
  const server = await startServer()
  const pool = new Pool(server.config)
  await migratePostgres(pool)
  await pool.end()
  const ways = await startWays([server])
  const [{ port } = server] = ways.proxies
  return {
    name: 'Postgres',
    place: () => ({ kind: 'postgres', config: { ...server.config, port, max: 5 } }),
    faults: () => [
      {
        kind: 'Postgres killed and started again',
        async befall() {
          await server.kill()
          return () => server.restart()
        },
      },
      ...ways.faults,
    ],
    async examine(look) {
      const own = new Pool(server.config)
      try {
        return await look(postgresContents(own))
      } finally {
        await own.end()
      }
    },
    async close() {
      await ways.close()
      await server.close()
    },
  }
}
