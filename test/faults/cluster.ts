import { Cluster } from 'ioredis'
import { redisContents } from '#coatcheck/testing/remains/redis'
import { startCluster as startServers } from '../servers/cluster.ts'
import { type Arena, startWays } from './arena.ts'

/** Three primaries with a replica each; every removal is confirmed by the replicas it concerns. */
export async function startCluster(): Promise<Arena> {
  const servers = await startServers({ replicasEach: 1 })
  const ways = await startWays(servers.nodes)
  return {
    name: 'Redis Cluster',
    place: (nth) => ({
      kind: 'cluster',
      driver: nth % 2 === 0 ? 'ioredis' : 'node-redis',
      nodes: Object.values(ways.addresses),
      ways: ways.addresses,
      confirmReplicas: 1,
    }),
    faults: ({ faults, random }) => [
      {
        kind: 'node of the Cluster killed, its replica takes over',
        async befall() {
          const primary = await servers.primaryOf(`${random.next()}`)
          faults.primariesLost.push(Date.now())
          await primary.kill()
          return async () => {
            await servers.untilOk()
            await primary.restart()
            await servers.untilOk()
          }
        },
      },
      ...ways.faults,
    ],
    async examine(look) {
      const client = new Cluster([...servers.rootNodes])
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
