import { after, before, describe, it } from 'node:test'
import { createClient } from 'redis'
import { redisStore } from '#coatcheck/stores/redis'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { type RedisServer, startRedis } from '../servers/redis.ts'

describe('redisStore on one Redis, through node-redis', () => {
  let server: RedisServer
  let client: ReturnType<typeof createClient>
  before(async () => {
    server = await startRedis()
    client = createClient({ url: server.url })
    client.on('error', () => {})
    await client.connect()
  })
  after(async () => {
    client.destroy()
    await server.close()
  })
  testTokenStore(it, (options) => redisStore(client as never, options))
})
