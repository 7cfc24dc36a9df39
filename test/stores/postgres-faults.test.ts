import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'
import {
  migratePostgres,
  type PostgresClient,
  postgresSchema,
  postgresStore,
} from '#coatcheck/stores/postgres'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import { until } from '../servers/until.ts'
import type { Closable } from '../servers/workplace.ts'
import { intercept, withPool } from './postgres-pools.ts'
import { startStandby } from './postgres-standby.ts'

describe('postgresStore under faults', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  let store: TokenStore
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool(server.config)
    await migratePostgres(pool)
    store = postgresStore(pool)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })

  /** A session of this test and what a removal of it owes. */
  async function session(name: string): Promise<void> {
    assert.equal(await store.insert(name, record(name, [name])), true)
  }

  /** All or nothing: `true` where the removal happened. */
  async function isRemoved(name: string): Promise<boolean> {
    const seen = [
      (await store.get(name)) === undefined,
      (await store.list(name, { limit: 1 })).length === 0,
      (await store.get(`owed/${name}`)) !== undefined,
      !(await store.insert(`late ${name}`, record('late', [name]))),
    ]
    assert.equal(new Set(seen).size, 1, `half done: ${seen}`)
    return seen[0] === true
  }

  it('does a removal whole or not at all, wherever its connection is lost', async () => {
    const done: boolean[] = []
    for (let lostAt = 0; ; lostAt++) {
      const name = `lost at ${lostAt}`
      await session(name)
      let at = -1
      const breaking = intercept(pool, async (client, ask) => {
        at += 1
        if (at === lostAt) await kill(pool, client)
        return ask()
      })
      const own = postgresStore(breaking)
      const removed = own.removeAll([{ index: name, mark: mark() }], order(name))
      const outcome = await removed.then(
        () => 'done',
        (error: Error) => error.message,
      )
      assert.doesNotMatch(outcome, /lost at/, 'what is told repeats no names')
      done.push(await isRemoved(name))
      assert.equal(done.at(-1), outcome === 'done')
      if (at < lostAt) break
    }
    // Two looks at the server and the schema, then six statements of the removal itself.
    assert.deepEqual(done, [...Array(8).fill(false), true])
  })

  it('says that it does not know where the connection is lost at the answer to COMMIT', async () => {
    await session('unknown')
    const breaking = intercept(pool, async (client, ask, text) => {
      const answer = await ask()
      if (text === 'COMMIT') {
        await kill(pool, client)
        await client.query({ text: 'SELECT 1' })
      }
      return answer
    })
    const removed = postgresStore(breaking).removeAll(
      [{ index: 'unknown', mark: mark() }],
      order('unknown'),
    )
    await assert.rejects(removed)
    assert.equal(await isRemoved('unknown'), true)
  })

  it('goes on after connections broke that nobody was using, and the process lives', async () => {
    await withPool(server, { max: 5 }, async (own) => {
      const other = postgresStore(own)
      await Promise.all(Array.from({ length: 5 }, () => other.now()))
      assert.equal(own.idleCount, 5)
      await pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
      )
      await until('they left the pool', () => own.totalCount === 0)
      await other.now()
      await other.close()
      assert.equal(own.listenerCount('error'), 0)
    })
  })

  it('works again as soon as the server does', async () => {
    await session('before')
    const [alive] = await Promise.all([
      Promise.allSettled(Array.from({ length: 20 }, () => store.get('before'))),
      server.restart(),
    ])
    for (const one of alive) if (one.status === 'fulfilled') assert.ok(one.value)
    assert.ok(await store.get('before'))
    assert.equal(pool.waitingCount, 0)
  })

  it('does again what the server undid in favour of somebody else', async () => {
    for (const code of ['40P01', '40001']) {
      await session(code)
      let failures = 0
      const failing = intercept(pool, async (client, ask, text) => {
        if (!text.includes('FOR UPDATE OF') || failures === 3) return ask()
        failures += 1
        return client.query({ text: raising(code) })
      })
      const own = postgresStore(failing)
      const step = await own.removeAll([{ index: code, mark: mark() }], order(code))
      assert.deepEqual([failures, step.removed.length], [3, 1])
      assert.equal(await isRemoved(code), true)
    }
  })

  it('waits for whoever signs the same user in or out, however short the role is to wait for locks', async () => {
    const options = '-c lock_timeout=5'
    await withPool(server, { options, max: 14 }, async (own) => {
      let held = 0
      const slow = intercept(own, async (client, ask, text) => {
        // Each has its locks for longer than that.
        if (text === 'COMMIT') {
          held += 1
          await client.query({ text: 'SELECT pg_sleep(0.02)' })
        }
        return ask()
      })
      const other = postgresStore(slow)
      const outcomes = await Promise.all([
        ...Array.from({ length: 7 }, (_, at) => other.insert(`busy ${at}`, record('', ['busy']))),
        ...Array.from({ length: 7 }, () =>
          other.removeAll([{ index: 'busy', mark: mark() }], order('busy')),
        ),
      ])
      assert.equal(outcomes.length, 14)
      assert.equal(held, 14, 'none was begun again')
    })
  })

  it('waits for whoever claims the same, and for whoever migrates', async () => {
    await withPool(server, { options: '-c lock_timeout=5', max: 2 }, async (own) => {
      const other = postgresStore(own)
      await other.now()
      const holder = await pool.connect()
      try {
        await holder.query('BEGIN')
        await holder.query("INSERT INTO coatcheck.claims VALUES ('contested', 0)")
        const [lock] = /SELECT pg_advisory_xact_lock.*/.exec(postgresSchema()) ?? []
        await holder.query(lock ?? '')
        const claiming = other.claim('contested', Date.now() + 60_000)
        const migrating = migratePostgres(own, { schema: 'waited' })
        await until('both wait', async () => (await waiting(pool)) === 2)
        await holder.query('SELECT pg_sleep(0.02)')
        await holder.query('COMMIT')
        assert.equal(await claiming, true)
        await migrating
      } finally {
        holder.release()
      }
    })
  })

  it('gives up what the server undoes again and again', async () => {
    const failing = intercept(pool, (client, ask, text) =>
      text.includes('written') ? client.query({ text: raising('40001') }) : ask(),
    )
    const inserted = postgresStore(failing).insert('again', record('again'))
    await assert.rejects(inserted, { code: '40001' })
    assert.equal(await store.get('again'), undefined)
  })

  it('tells what `owe` threw, and removes nothing', async () => {
    await session('owing')
    const thrown = new Error('not readable')
    const owe = (): never => {
      throw thrown
    }
    const removed = store.removeAll([{ index: 'owing', mark: mark() }], {
      ...order('owing'),
      owe,
    })
    await assert.rejects(removed, (error) => error === thrown)
    assert.equal(await isRemoved('owing'), false)
    assert.equal(pool.idleCount, pool.totalCount)
  })

  it('gives up in time where the pool has no connection, and takes none that comes later', async () => {
    await withPool(server, { max: 1 }, async (own) => {
      const other = postgresStore(own, { timeoutSeconds: 1 })
      await other.now()
      const taken = await own.connect()
      await assert.rejects(other.insert('late', record('late')), /did not answer in time/)
      taken.release()
      await other.now()
      assert.deepEqual([own.totalCount, own.idleCount, own.waitingCount], [1, 1, 0])
      assert.equal(await other.get('late'), undefined)
    })
  })

  it('gives up in time where the network swallows everything, and the server lets go too', async () => {
    const proxy = await startTcpProxy(server)
    try {
      await withPool(server, { port: proxy.port, max: 2 }, async (own) => {
        await session('swallowed')
        const other = intercept(own, async (_, ask, text) => {
          // The locks are taken, and nothing of the rest arrives.
          if (text.includes('FOR UPDATE OF')) proxy.halfOpen()
          return ask()
        })
        const removing = postgresStore(other, { timeoutSeconds: 1 }).removeAll(
          [{ index: 'swallowed', mark: mark() }],
          order('swallowed'),
        )
        await assert.rejects(removing, /did not answer in time/)
        assert.equal(own.totalCount, 0)
        // Waits for the lock until the server has given up whoever had it.
        assert.equal(await isRemoved('swallowed'), false)
        await proxy.restore()
        assert.ok(await postgresStore(own).get('swallowed'))
      })
    } finally {
      await proxy.close()
    }
  })

  it('answers a removal when it is on disk, whatever the pool is told, and waits for standbys', async () => {
    for (const [told, kept] of [
      ['off', 'on'],
      ['on', 'on'],
      ['local', 'local'],
      ['remote_apply', 'remote_apply'],
    ]) {
      await withPool(server, { options: `-c synchronous_commit=${told}` }, async (own) => {
        const seen: string[] = []
        const looking = intercept(own, async (client, ask, text) => {
          if (text === 'COMMIT') {
            const { rows } = await client.query({ text: 'SHOW synchronous_commit' })
            seen.push((rows[0] as { synchronous_commit: string }).synchronous_commit)
          }
          return ask()
        })
        await postgresStore(looking).removeAll([{ index: 'disk', mark: mark() }], order('disk'))
        assert.deepEqual(seen, [kept])
      })
    }
  })

  it('never answers from a standby, and works when that has become the primary', async () => {
    await session('followed')
    const standby = await startStandby(server)
    const own = new pg.Pool(standby.config)
    try {
      const other = postgresStore(own)
      const { rows } = await own.query("SELECT id FROM coatcheck.records WHERE id = 'followed'")
      assert.equal(rows.length, 1, 'it has the record, and must not be asked for it')
      const refusal = { code: 'store_unusable', message: /standby.*a pool of the primary/ }
      for (const attempt of [
        async () => other.get('followed'),
        async () => other.now(),
        async () => other.isEmpty(),
        () => other.list('followed', { limit: 1 }),
        () => other.insert('id', record('id')),
        () => other.claim('id', Date.now() + 1_000),
        () => migratePostgres(own),
      ]) {
        await assert.rejects(attempt, refusal)
      }
      await own.query('SELECT pg_promote()')
      await other.get('followed')
      assert.equal(await other.insert('id', record('id')), true)
    } finally {
      await own.end()
      await standby.close()
    }
  })

  it('refuses to go on with a server that was made a standby', async () => {
    await session('demoted')
    let demoted = false
    const other = intercept(pool, async (_, ask) => {
      const answer = await ask()
      const row = answer.rows?.[0] as Record<string, string> | undefined
      if (demoted && row && 'standby' in row) row['standby'] = 't'
      return answer
    })
    const own = postgresStore(other)
    assert.ok(await own.get('demoted'))
    demoted = true
    const connections = pool.totalCount
    await assert.rejects(async () => own.get('demoted'), { code: 'store_unusable' })
    assert.equal(pool.totalCount, connections - 1, 'the pool may find the primary')
  })
})

/** Ends the server's side of a connection, and waits until it is gone. */
async function kill(pool: pg.Pool, client: PostgresClient): Promise<void> {
  const { rows } = await client.query({ text: 'SELECT pg_backend_pid() AS pid' })
  const { pid } = rows[0] as { pid: number }
  await pool.query('SELECT pg_terminate_backend($1, 10000)', [pid])
}

/** How many statements wait for a lock. */
async function waiting(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  )
  return rows[0].n
}

function raising(code: string): string {
  return `DO $$ BEGIN RAISE EXCEPTION 'undone' USING ERRCODE = '${code}'; END $$`
}

function mark() {
  return { clock: 'here', establishedUntil: Date.now(), keepUntil: Date.now() + 60_000 } as const
}

/** A removal that owes one record for each. */
function order(name: string) {
  return {
    owe: (removed: readonly { readonly id: string }[]) =>
      removed.map(({ id }) => ({ id: `owed/${id}`, record: record('owed') })),
    limit: 10,
    resumed: false,
    unfinished: { id: `unfinished ${name}`, record: record('unfinished') },
  }
}

function record(value: string, indexes: string[] = []): StoredRecord {
  const established = { provider: 1, here: 1 }
  return { value: Buffer.from(value), indexes, expiresAt: Date.now() + 3_600_000, established }
}
