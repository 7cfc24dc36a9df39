import { Redis } from 'ioredis'
import { redisContents } from '#coatcheck/testing/remains/redis'
import { startReplicated } from '../servers/replicated.ts'
import { type Arena, startWays } from './arena.ts'

/** One primary, one replica and three Sentinels; every removal is confirmed by the replica. */
export async function startSentinels(): Promise<Arena> {
  const servers = await startReplicated()
  const ways = await startWays(servers.nodes)
  return {
    name: 'Redis with Sentinels',
    place: (nth) => ({
      kind: 'sentinels',
      driver: nth % 2 === 0 ? 'ioredis' : 'node-redis',
      name: servers.name,
      nodes: servers.sentinels,
      ways: ways.addresses,
      confirmReplicas: 1,
    }),
    faults: ({ faults }) => [
      {
        kind: 'primary killed, Sentinels fail over',
        async befall() {
          const primary = await servers.primary()
          faults.primariesLost.push(Date.now())
          await primary.kill()
          return async () => {
            await servers.newPrimary(primary)
            await servers.bringBack(primary)
          }
        },
      },
      ...ways.faults,
    ],
    async examine(look) {
      const { port } = await servers.primary()
      const client = new Redis(port)
      try {
        return await look(redisContents(client))
      } finally {
        client.disconnect()
      }
    },
    async close() {
      await ways.close()
      await servers.close()
    },
  }
}
