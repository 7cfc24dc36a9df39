import { startPostgres } from '../../test/servers/postgres.ts'
import { startRedis } from '../../test/servers/redis.ts'
import { type BenchProvider, startBenchProvider } from '../provider.ts'
import type { Contestant, Running, Surroundings } from './contestant.ts'

/** What contestants run against, and what measures ask of the provider. */
export interface Field extends Surroundings {
  readonly oidc: BenchProvider
  /** Starts a contestant the first time, and answers the same one from then on. */
  running(contestant: Contestant): Promise<Running>
  /** Ends everything that was started here. */
  close(): Promise<void>
}

/** Starts the provider. Each Redis and Postgres is started when somebody asks for one. */
export async function openField(profile: string | undefined): Promise<Field> {
  const oidc = await startBenchProvider()
  const servers: { close(): Promise<void> }[] = []
  const started = new Map<string, Promise<Running>>()
  const surroundings: Surroundings = {
    provider: oidc.address,
    profile,
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
  }
  return {
    ...surroundings,
    oidc,
    running(contestant) {
      const running = started.get(contestant.name) ?? contestant.start(surroundings)
      started.set(contestant.name, running)
      return running
    },
    async close() {
      const all = await Promise.allSettled(started.values())
      const running = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      // Applications before what they run on.
      await Promise.all(running.map((one) => one.close()))
      await Promise.all([oidc, ...servers].map((server) => server.close()))
    },
  }
}
