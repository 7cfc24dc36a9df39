import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import type { StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'
import {
  migratePostgres,
  type PostgresPool,
  postgresSchema,
  postgresStore,
} from '#coatcheck/stores/postgres'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'
import { intercept, withPool } from './postgres-pools.ts'

const run = promisify(execFile)

describe('postgresStore, told what it cannot do', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  let named = 0
  const newSchema = (): string => `schema_${named++}`
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool({ ...server.config, max: 10 })
    // Of each store here.
    pool.setMaxListeners(100)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })

  it('takes a Pool of pg, without depending on pg', () => {
    const fits: PostgresPool = pool
    assert.equal(typeof postgresStore(fits).get, 'function')
  })

  it('says what to write where it is given something else than a pool, a schema or a time', () => {
    for (const wrong of [undefined, {}, 'postgres://', { query: () => {} }]) {
      const refusal = { name: 'TypeError', message: /postgresStore\(new Pool\(/ }
      assert.throws(() => postgresStore(wrong as never), refusal)
    }
    const long = 'x'.repeat(64)
    for (const schema of ['', 'a"b', 'a.b', 'a b', 'a\0', 'pg_mine', '1a', "a'; --", long, 7]) {
      const refusal = { name: 'TypeError', message: /\{ schema: 'coatcheck' \}/ }
      assert.throws(() => postgresStore(pool, { schema: schema as string }), refusal)
      assert.throws(() => postgresSchema({ schema: schema as string }), refusal)
    }
    for (const timeoutSeconds of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never]) {
      assert.throws(() => postgresStore(pool, { timeoutSeconds }), TypeError)
    }
  })

  it('creates nothing by itself: without the schema every operation says to migrate', async () => {
    const schema = newSchema()
    const store = postgresStore(pool, { schema })
    for (const attempt of everything(store)) {
      await assert.rejects(attempt, {
        code: 'store_unusable',
        message: new RegExp(`not in the schema "${schema}".*await migratePostgres\\(pool\\) once`),
      })
    }
    const { rows } = await pool.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])
    assert.equal(rows.length, 0)
    await migratePostgres(pool, { schema })
    assert.equal(await store.insert('one', record('one')), true)
  })

  it('says so where the tables go away later', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    const store = postgresStore(pool, { schema })
    await store.insert('one', record('one'))
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    for (const attempt of everything(store).slice(1)) {
      await assert.rejects(attempt, { code: 'store_unusable', message: /migratePostgres/ })
    }
  })

  it('makes one schema where eight processes migrate at once, and again, and changes nothing', async () => {
    const schema = newSchema()
    const shape = async (): Promise<unknown> =>
      (
        await pool.query(
          `SELECT c.oid, c.relname, c.relkind, c.reloptions FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 ORDER BY 1`,
          [schema],
        )
      ).rows
    await Promise.all(Array.from({ length: 8 }, () => migratePostgres(pool, { schema })))
    const before = await shape()
    await postgresStore(pool, { schema }).insert('one', record('one'))
    await Promise.all(Array.from({ length: 8 }, () => migratePostgres(pool, { schema })))
    await pool.query(postgresSchema({ schema }))
    assert.deepEqual(await shape(), before)
    const { rows } = await pool.query(`SELECT version FROM ${schema}.format`)
    assert.deepEqual(rows, [{ version: 1 }])
    assert.equal(text(await postgresStore(pool, { schema }).get('one')), 'one')
  })

  it('prints statements that an administrator can run by psql', async () => {
    const schema = newSchema()
    const args = ['-X', '-v', 'ON_ERROR_STOP=1', server.url, '-c', postgresSchema({ schema })]
    await run('psql', args)
    await run('psql', args)
    assert.equal(await postgresStore(pool, { schema }).insert('one', record('one')), true)
  })

  it('refuses tables of another format, and leaves them alone', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    for (const version of [0, 2]) {
      await pool.query(`UPDATE ${schema}.format SET version = ${version}`)
      const refusal = {
        code: 'store_unusable',
        message: new RegExp(
          `holds coatcheck records of format ${version}.*reads format 1.*Use the`,
        ),
      }
      await assert.rejects(postgresStore(pool, { schema }).insert('one', record('one')), refusal)
      await assert.rejects(migratePostgres(pool, { schema }), refusal)
    }
    assert.deepEqual((await pool.query(`SELECT FROM ${schema}.records`)).rows, [])
  })

  it('says so too where another version makes its tables while this one works', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    const store = postgresStore(pool, { schema })
    await store.insert('one', record('one'))
    await pool.query(`ALTER TABLE ${schema}.records RENAME TO records_of_format_2`)
    await pool.query(`UPDATE ${schema}.format SET version = 2`)
    await assert.rejects(store.insert('two', record('two')), { code: 'store_unusable' })
    await assert.rejects(store.insert('two', record('two')), {
      code: 'store_unusable',
      message: /holds coatcheck records of format 2/,
    })
  })

  it('refuses tables of the application that bear these names', async () => {
    const schema = newSchema()
    await pool.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.format (name text)`)
    const refusal = {
      code: 'store_unusable',
      message: /not as postgresStore makes them.*another schema/,
    }
    await assert.rejects(async () => postgresStore(pool, { schema }).get('one'), refusal)
    await assert.rejects(migratePostgres(pool, { schema }), refusal)
  })

  it('says what to grant to a role that may not use the tables', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    await pool.query('CREATE ROLE application LOGIN')
    await withPool(server, { user: 'application' }, async (own) => {
      const refusal = { code: 'store_unusable', message: /GRANT USAGE ON SCHEMA "schema_/ }
      await assert.rejects(async () => postgresStore(own, { schema }).get('one'), refusal)
      await assert.rejects(migratePostgres(own, { schema }), refusal)
      await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO application`)
      await pool.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO application`)
      const store = postgresStore(own, { schema })
      assert.equal(await store.get('one'), undefined)
      await assert.rejects(store.insert('one', record('one')), refusal)
      await pool.query(
        `GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO application`,
      )
      for (const attempt of everything(store)) await attempt()
      // It need not be allowed to make what is there.
      await migratePostgres(own, { schema })
    })
  })

  it('says what to grant, and who else can do it, to a role that may not make the tables', async () => {
    const schema = newSchema()
    await pool.query('CREATE ROLE modest LOGIN')
    await withPool(server, { user: 'modest' }, async (own) => {
      const refusal = {
        code: 'store_unusable',
        message: /may not make.*GRANT CREATE ON DATABASE.*a role that may.*postgresSchema\(\)/,
      }
      await assert.rejects(migratePostgres(own, { schema }), refusal)
      await pool.query(`CREATE SCHEMA ${schema}`)
      await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO modest`)
      await assert.rejects(migratePostgres(own, { schema }), refusal)
      // An administrator made the schema: it need not be allowed to make others.
      await pool.query(`GRANT CREATE ON SCHEMA ${schema} TO modest`)
      await migratePostgres(own, { schema })
      assert.equal(await postgresStore(own, { schema }).insert('one', record('one')), true)
    })
  })

  it('says to leave out `binary` where the pool gives back other things than it was given', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    await withPool(server, { binary: true } as pg.PoolConfig, async (own) => {
      const refusal = { code: 'store_unusable', message: /make it without `binary`/ }
      for (const attempt of everything(postgresStore(own, { schema }))) {
        await assert.rejects(attempt, refusal)
      }
      await assert.rejects(migratePostgres(own, { schema }), refusal)
    })
  })

  it('says what to correct where the database or the role is not there', async () => {
    for (const wrong of [{ database: 'nowhere' }, { user: 'nobody' }]) {
      await withPool(server, wrong, async (own) => {
        await assert.rejects(async () => postgresStore(own).get('one'), {
          code: 'store_unusable',
          message: /does not admit the pool.*user, password or database/,
        })
      })
    }
  })

  it('refuses to work where everything is read-only', async () => {
    const schema = newSchema()
    await migratePostgres(pool, { schema })
    await withPool(server, { options: '-c default_transaction_read_only=on' }, async (own) => {
      const store = postgresStore(own, { schema })
      await assert.rejects(store.insert('one', record('one')), {
        code: 'store_unusable',
        message: /read-only: give postgresStore a pool of the primary/,
      })
      assert.equal(own.totalCount, 0, 'the pool may find the primary when it connects again')
    })
  })

  for (const { product, message } of [
    { product: { version: '120003' }, message: /13 or newer: upgrade this server, which is 12\./ },
    { product: { genuine: 'f' }, message: /needs PostgreSQL, and no other server/ },
    { product: { standby: 't' }, message: /is a standby/ },
  ]) {
    it(`refuses a server that answers ${JSON.stringify(product)}`, async () => {
      const schema = newSchema()
      await migratePostgres(pool, { schema })
      const other = answering(pool, product)
      const store = postgresStore(other, { schema })
      await assert.rejects(store.insert('one', record('one')), { code: 'store_unusable', message })
      await assert.rejects(migratePostgres(other, { schema }), { code: 'store_unusable', message })
    })
  }

  describe('with its tables', () => {
    const schema = 'own'
    let store: TokenStore
    before(async () => {
      await migratePostgres(pool, { schema })
      store = postgresStore(pool, { schema })
    })

    it('is empty where no record is kept, and not where one is that has expired', async () => {
      assert.equal(await store.isEmpty(), true)
      await store.claim('no record', Date.now() + 60_000)
      await store.removeAll([{ index: 'no record', mark: mark() }], order())
      assert.equal(await store.isEmpty(), true)
      await store.insert('old', { ...record('old'), expiresAt: 1 })
      assert.equal(await store.isEmpty(), false)
      await store.remove('old')
      assert.equal(await store.isEmpty(), true)
      await pool.query(`TRUNCATE ${schema}.marks, ${schema}.claims`)
    })

    it('refuses names that it could not find again, before it writes anything', async () => {
      for (const name of ['x'.repeat(256), 'a\0b', 'a\ud800', '€'.repeat(86)]) {
        const fine = record('fine')
        const owed = (): { id: string; record: StoredRecord }[] => [{ id: name, record: fine }]
        const attempts = [
          async () => store.get(name),
          () => store.insert(name, fine),
          () => store.insert('id', record('one', ['fine', name])),
          () => store.replace(name, Buffer.from('a'), fine),
          () => store.remove(name),
          () => store.list(name, { limit: 1 }),
          () => store.list('index', { after: name, limit: 1 }),
          () => store.claim(name, Date.now() + 1_000),
          () => store.removeAll([{ index: name, mark: mark() }], order()),
        ]
        for (const attempt of attempts) await assert.rejects(attempt, RangeError)
        await store.insert('owing', record('owing', ['owing']))
        await assert.rejects(store.remove('owing', owed), RangeError)
        const removal = { ...order(), owe: owed }
        await assert.rejects(
          store.removeAll([{ index: 'owing', mark: mark() }], removal),
          RangeError,
        )
        assert.equal(text(await store.get('owing')), 'owing')
      }
      assert.deepEqual(await counts(schema), { records: 1, found: 1, marks: 0, claims: 0 })
      assert.equal(pool.totalCount, pool.idleCount, 'every connection came back')
    })

    it('keeps names with quotes, backslashes, braces and signs as they are', async () => {
      const names = [`'"; DROP TABLE`, '{a,b}', '\\x41', 'NULL', '', ' ', '€𝄞', 'x'.repeat(255)]
      const ids = names.map((name) => `${name}`)
      for (const name of names) {
        const owe = () => [{ id: `/${name}`.slice(0, 255), record: record('owed', [name, 'all']) }]
        assert.equal(await store.insert(name, record(name, [name, 'all'])), true)
        assert.equal(text(await store.get(name)), name)
        assert.deepEqual(
          (await store.list(name, { limit: 10 })).map(({ id }) => id),
          [name],
        )
        assert.equal(await store.claim(name, Date.now() + 60_000), true)
        assert.equal(text(await store.remove(name, owe)), name)
        assert.equal((await store.list(name, { limit: 10 })).length, 1)
      }
      const step = await store.removeAll([{ index: 'all', mark: mark() }], order())
      assert.equal(step.removed.length, ids.length)
    })

    it('refuses a time that is no number, and takes any that is', async () => {
      const wrong = Number.NaN
      const fine = record('fine')
      const attempts = [
        () => store.insert('id', { ...fine, expiresAt: wrong }),
        () => store.insert('id', { ...fine, established: { provider: wrong, here: 0 } }),
        () => store.insert('id', { ...fine, established: { provider: 0, here: wrong } }),
        () => store.claim('id', wrong),
        () =>
          store.removeAll([{ index: 'a', mark: { ...mark(), establishedUntil: wrong } }], order()),
        () => store.removeAll([{ index: 'a', mark: { ...mark(), keepUntil: wrong } }], order()),
      ]
      for (const attempt of attempts) await assert.rejects(attempt, TypeError)
      const odd = { provider: -0.5, here: Number.NEGATIVE_INFINITY }
      const forever = { ...fine, expiresAt: Number.POSITIVE_INFINITY, established: odd }
      assert.equal(await store.insert('forever', { ...forever, indexes: ['odd'] }), true)
      const until = { ...mark('provider'), establishedUntil: -0.6 }
      const kept = await store.removeAll([{ index: 'odd', mark: until }], order())
      assert.deepEqual(kept.removed, [])
      const exact = { ...until, establishedUntil: -0.5 }
      const step = await store.removeAll([{ index: 'odd', mark: exact }], order())
      assert.deepEqual(
        step.removed.map(({ id }) => id),
        ['forever'],
      )
    })

    it('returns what is there, be it of another deployment, cut short or changed by somebody', async () => {
      await store.insert('large', record(randomBytes(5_000).toString('hex')))
      await pool.query(
        `UPDATE ${schema}.records SET head = '\\x', tail = '\\x00ff' WHERE id = 'large'`,
      )
      const cut = await store.get('large')
      assert.deepEqual(cut && Buffer.from(cut), Buffer.from([0, 255]))
      assert.equal(await store.replace('large', Buffer.from([0, 255]), record('next')), true)
      assert.equal(text(await store.remove('large')), 'next')
    })

    it('passes over what is found by an index whose record is gone or does not name it', async () => {
      await store.insert('b', record('here', ['index']))
      await pool.query(`INSERT INTO ${schema}.found VALUES ('index', 'a'), ('other', 'b')`)
      for (const [index, ids] of [
        ['index', ['b']],
        ['other', []],
      ] as const) {
        const listed = await store.list(index, { limit: 10 })
        assert.deepEqual(
          listed.map(({ id }) => id),
          ids,
        )
      }
      const other = await store.removeAll([{ index: 'other', mark: mark() }], order())
      assert.deepEqual(other, { removed: [], more: false })
      const step = await store.removeAll([{ index: 'index', mark: mark() }], order())
      assert.deepEqual(
        step.removed.map(({ id }) => id),
        ['b'],
      )
    })

    it('is not misled by what the application told pg about types, nor by a role about bytes', async () => {
      const options = '-c bytea_output=escape -c extra_float_digits=0 -c search_path=nowhere'
      const types = { getTypeParser: () => () => 'surprise' }
      await withPool(server, { options, types: types as never }, async (own) => {
        const other = postgresStore(own, { schema })
        const value = randomBytes(5_000)
        assert.ok(Math.abs((await other.now()) - Date.now()) < 60_000)
        assert.equal(await other.insert('bytes', { ...record(''), value }), true)
        assert.deepEqual(Buffer.from((await other.get('bytes')) ?? []), value)
        assert.equal(await other.replace('bytes', value, record('next', ['bytes'])), true)
        assert.equal((await other.list('bytes', { limit: 1 })).length, 1)
        assert.equal(text(await other.remove('bytes')), 'next')
      })
    })

    it('keeps to READ COMMITTED where the pool is told otherwise', async () => {
      const options = '-c default_transaction_isolation=serializable'
      await withPool(server, { options, max: 12 }, async (own) => {
        const other = postgresStore(own, { schema })
        await other.now()
        const ids = Array.from({ length: 12 }, (_, at) => `serial ${at}`)
        const inserted = await Promise.all([
          ...ids.map((id) => other.insert(id, record(id, ['serial']))),
          other.removeAll([{ index: 'serial', mark: mark() }], order()),
        ])
        assert.equal(inserted.length, 13)
        assert.deepEqual(await other.list('serial', { limit: 100 }), [])
        const granted = await Promise.all(ids.map(() => other.claim('serial', Date.now() + 60_000)))
        assert.equal(granted.filter(Boolean).length, 1)
      })
    })
  })

  async function counts(schema: string): Promise<Record<string, number>> {
    const found: Record<string, number> = {}
    for (const table of ['records', 'found', 'marks', 'claims']) {
      const { rows } = await pool.query(`SELECT count(*)::int AS n FROM ${schema}.${table}`)
      found[table] = rows[0].n
    }
    return found
  }
})

/** Each operation once, on whatever is there; `now` first, which touches no table. */
function everything(store: TokenStore): (() => Promise<unknown>)[] {
  return [
    async () => store.now(),
    async () => store.get('id'),
    () => store.insert('id', record('one', ['index'])),
    () => store.replace('id', Buffer.from('one'), record('two')),
    () => store.list('index', { limit: 10 }),
    () => store.removeAll([{ index: 'index', mark: mark() }], order()),
    () => store.remove('id', () => [{ id: 'owed', record: record('owed') }]),
    () => store.claim('claim', Date.now() + 1),
    () => store.sweep(() => [], 10),
    async () => store.isEmpty(),
  ]
}

/** A pool whose server says other things of itself. */
function answering(pool: pg.Pool, said: Record<string, string>): PostgresPool {
  return intercept(pool, async (_, ask) => {
    const answer = await ask()
    for (const row of (answer.rows ?? []) as Record<string, unknown>[]) {
      for (const [name, value] of Object.entries(said)) if (name in row) row[name] = value
    }
    return answer
  })
}

function mark(clock: 'here' | 'provider' = 'here') {
  return { clock, establishedUntil: Date.now(), keepUntil: Date.now() + 60_000 }
}

function order() {
  const unfinished = { id: 'unfinished', record: record('unfinished') }
  return { owe: () => [], limit: 100, resumed: false, unfinished }
}

function record(value: string, indexes: string[] = []): StoredRecord {
  const at = Date.now()
  const established = { provider: at, here: at }
  return { value: Buffer.from(value), indexes, expiresAt: at + 3_600_000, established }
}

function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString()
}
