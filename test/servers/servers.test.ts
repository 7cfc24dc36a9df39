import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { after, before, describe, it, type TestContext } from 'node:test'
import { Redis as Client, Cluster as ClusterClient } from 'ioredis'
import pg from 'pg'
import { createClient } from 'redis'
import { root } from '../../scripts/run.mjs'
import { startCluster } from './cluster.ts'
import { startPgBouncer } from './pgbouncer.ts'
import { type PostgresServer, postgresAnswers, startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import { startReplicated } from './replicated.ts'
import { until } from './until.ts'
import type { Closable } from './workplace.ts'

describe('a Redis', () => {
  it('answers, is killed, and comes back on its port, empty', async (t) => {
    const redis = await closed(t, startRedis())
    const client = await createClient({ url: redis.url })
      .on('error', () => {})
      .connect()
    t.after(() => client.destroy())
    await client.set('name', 'value')
    await redis.kill()
    assert.equal(redis.running, false)
    await assert.rejects(redis.ask('PING'))
    await redis.restart()
    assert.equal(await client.get('name'), null)
  })

  it('says nothing while it is paused', async (t) => {
    const redis = await closed(t, startRedis())
    redis.pause()
    await assert.rejects(redis.ask('PING'), /timed out/)
    redis.resume()
    assert.equal(await redis.ask('PING'), 'PONG')
  })

  it('keeps what it is told to keep', async (t) => {
    const redis = await closed(t, startRedis({ args: ALWAYS_KEPT }))
    await redis.ask('SET', 'name', 'value')
    await redis.kill()
    await redis.restart()
    assert.equal(await redis.ask('GET', 'name'), 'value')
  })

  it('that cannot start says why, and leaves nothing', async () => {
    await assert.rejects(startRedis({ args: ['--nonsense', 'yes'] }), /nonsense "yes"/)
  })

  it('is gone, with its folder, when it is closed', async () => {
    const redis = await startRedis()
    assert.ok(existsSync(redis.folder))
    await redis.close()
    assert.ok(!existsSync(redis.folder))
    await assert.rejects(redis.ask('PING'))
  })
})

describe('a primary with its replicas and Sentinels', () => {
  it('has a new primary when the old one is killed, twice', async (t) => {
    const replicated = await closed(t, startReplicated())
    const { name, sentinels } = replicated
    const client = new Client({ name, sentinels: [...sentinels] })
    client.on('error', () => {})
    t.after(() => client.disconnect())
    await client.set('name', 'value')
    await client.wait(1, 0)
    for (let round = 0; round < 2; round += 1) {
      const dead = await replicated.killPrimary()
      const primary = await replicated.newPrimary(dead)
      assert.notEqual(primary.port, dead.port)
      assert.equal(await client.get('name'), 'value')
      await replicated.bringBack(dead)
      assert.match(`${await dead.ask('INFO', 'replication')}`, /role:slave/)
      assert.equal(await replicated.primary(), primary)
    }
  })
})

describe('a Cluster', () => {
  it('serves the keys of a primary that is killed from its replica', async (t) => {
    const cluster = await closed(t, startCluster({ replicasEach: 1 }))
    const client = clientOf(t, cluster)
    await client.set('name', 'value')
    const primary = await cluster.primaryOf('name')
    assert.equal(await primary.ask('WAIT', '1', '0'), 1)
    await primary.kill()
    await cluster.untilOk()
    assert.notEqual((await cluster.primaryOf('name')).port, primary.port)
    assert.equal(await client.get('name'), 'value')
    await primary.restart()
    await cluster.untilOk()
    assert.match(`${await primary.ask('INFO', 'replication')}`, /role:slave/)
  })

  it('without replicas waits for the return of a node', async (t) => {
    const cluster = await closed(t, startCluster({ args: ALWAYS_KEPT }))
    const client = clientOf(t, cluster)
    await client.set('name', 'value')
    const primary = await cluster.primaryOf('name')
    await primary.kill()
    await primary.restart()
    await cluster.untilOk()
    assert.equal(await client.get('name'), 'value')
  })
})

describe('a Postgres', () => {
  let postgres: PostgresServer & Closable
  before(async () => {
    postgres = await startPostgres({ fsync: true, settings: { work_mem: '5MB' } })
  })
  after(() => postgres.close())

  /** Somebody whose connection may be cut. */
  const client = async (t: TestContext, config: pg.ClientConfig): Promise<pg.Client> => {
    const connected = new pg.Client(config)
    connected.on('error', () => {})
    await connected.connect()
    t.after(() => connected.end())
    return connected
  }

  it('has the settings it is given', async (t) => {
    const one = await client(t, { connectionString: postgres.url })
    assert.deepEqual((await one.query('show fsync')).rows, [{ fsync: 'on' }])
    assert.deepEqual((await one.query('show work_mem')).rows, [{ work_mem: '5MB' }])
  })

  it('keeps what was committed over a crash', async (t) => {
    const one = await client(t, postgres.config)
    await one.query("create table kept as select 'value' as name")
    await postgres.kill()
    await assert.rejects(one.query('select * from kept'))
    await postgres.restart()
    const other = await client(t, postgres.config)
    assert.deepEqual((await other.query('select * from kept')).rows, [{ name: 'value' }])
  })

  it('says nothing while it is paused, on open connections either', async (t) => {
    const open = await client(t, { ...postgres.config, query_timeout: 1000 })
    postgres.pause()
    await assert.rejects(postgresAnswers(postgres), /timeout/)
    await assert.rejects(open.query('select 1'), /timeout/)
    postgres.resume()
    assert.ok(await postgresAnswers(postgres))
  })

  it('shares one connection among the clients of a PgBouncer', async (t) => {
    const settings = { default_pool_size: '1' }
    const bouncer = await closed(t, startPgBouncer(postgres, { settings }))
    const backends = async (): Promise<unknown[]> => {
      const clients = await Promise.all([client(t, bouncer.config), client(t, bouncer.config)])
      const asked = clients.map((one) => one.query('select pg_backend_pid() as pid'))
      return (await Promise.all(asked)).map(({ rows }) => rows[0].pid)
    }
    const [one, other] = await backends()
    assert.equal(one, other)
    await bouncer.kill()
    await assert.rejects(postgresAnswers(bouncer))
    await bouncer.restart()
    assert.equal(new Set(await backends()).size, 1)
  })
})

describe('a process that starts servers', () => {
  for (const end of ['process.exit()', "process.kill(process.pid, 'SIGKILL')"]) {
    it(`leaves nothing behind when it ends with ${end}`, async () => {
      const program = `
        import { startPostgres } from './test/servers/postgres.ts'
        import { startRedis } from './test/servers/redis.ts'
        const redis = await startRedis()
        const postgres = await startPostgres()
        // Nothing ends by itself that is stopped.
        postgres.pause()
        console.log(JSON.stringify([redis, postgres].map(({ port, folder }) => ({ port, folder }))))
        ${end}`
      const args = ['--input-type=module-typescript', '--eval', program]
      const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
      const servers: { port: number; folder: string }[] = JSON.parse(stdout)
      for (const { port, folder } of servers) {
        await until('its folder is gone', () => !existsSync(folder))
        await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'))
      }
    })
  }
})

/** What is acknowledged is on disk. */
const ALWAYS_KEPT = ['--appendonly', 'yes', '--appendfsync', 'always']

/** Closes what was started when the test ends. */
async function closed<Started extends Closable>(
  t: TestContext,
  starting: Promise<Started>,
): Promise<Started> {
  const started = await starting
  t.after(() => started.close())
  return started
}

function clientOf(
  t: TestContext,
  { rootNodes }: { readonly rootNodes: readonly { host: string; port: number }[] },
): ClusterClient {
  const client = new ClusterClient([...rootNodes])
  client.on('error', () => {})
  t.after(() => client.disconnect())
  return client
}
