import { startPostgres } from '../../test/servers/postgres.ts'
import { startRedis } from '../../test/servers/redis.ts'
import type { Surroundings } from './contestant.ts'
import { type CompareProvider, startCompareProvider } from './provider.ts'

/** What contestants run against, and what measures ask of the provider. */
export interface Field extends Surroundings {
  readonly oidc: CompareProvider
  close(): Promise<void>
}

/** Starts the provider. Each Redis and Postgres is started when somebody asks for one. */
export async function openField(): Promise<Field> {
  const oidc = await startCompareProvider()
  const servers: { close(): Promise<void> }[] = []
  return {
    oidc,
    provider: oidc.address,
    async redis() {
      const server = await startRedis()
      servers.push(server)
      return server.url
    },
    async postgres() {
      const server = await startPostgres({ fsync: true })
      servers.push(server)
      return server.url
    },
    async close() {
      await Promise.all([oidc, ...servers].map((server) => server.close()))
    },
  }
}
