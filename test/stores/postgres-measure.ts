// node test/stores/postgres-measure.ts [records]: what the Postgres store costs, on this machine.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { startPostgres } from '../servers/postgres.ts'

const count = Number(process.argv[2] ?? 20_000)
const size = 4_300
const server = await startPostgres({ fsync: true })
const pool = new pg.Pool({ ...server.config, max: 8 })
try {
  await migratePostgres(pool)
  const store = postgresStore(pool)
  const ids = await fill(store)
  await sizes()
  await latencies(store, ids)
  await churn(store, ids)
  await large(store)
} finally {
  await pool.end()
  await server.close()
}

async function fill(store: TokenStore): Promise<string[]> {
  const ids = Array.from({ length: count }, () => `s.${randomBytes(32).toString('base64url')}`)
  const start = performance.now()
  await together(ids, 8, async (id) => {
    await store.insert(id, record([1, 2, 3].map(() => randomBytes(16).toString('base64url'))))
  })
  const each = ((performance.now() - start) / count) * 8
  console.log(`${count} inserts by 8 at once, ${each.toFixed(2)} ms each`)
  return ids
}

async function sizes(): Promise<void> {
  await pool.query('VACUUM ANALYZE')
  const { rows } = await pool.query(
    `SELECT c.relname, pg_relation_size(c.oid)::int AS heap, pg_indexes_size(c.oid)::int AS indexes,
       coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)::int AS toast,
       pg_total_relation_size(c.oid)::int AS total
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'coatcheck' AND c.relkind = 'r' ORDER BY total DESC`,
  )
  let sum = 0
  for (const { relname, heap, indexes, toast, total } of rows) {
    sum += total
    const [a, b, c, d] = [total, heap, toast, indexes].map((bytes) => (bytes / count).toFixed(0))
    console.log(`${relname}: ${a} bytes each (rows ${b}, large values ${c}, indexes ${d})`)
  }
  const each = sum / count
  console.log(`${each.toFixed(0)} bytes per session, ${(each / size).toFixed(3)} times the value`)
}

async function latencies(store: TokenStore, ids: string[]): Promise<void> {
  await timed('get', 2_000, (at) => store.get(ids[at] ?? ''))
  await timed('list of one', 500, () => store.list('none', { limit: 10 }))
  await timed('claim', 500, (at) => store.claim(`claim ${at}`, Date.now() + 60_000))
  await timed('insert', 500, (at) => store.insert(`i ${at}`, record(['a', 'b', 'c'])))
  await timed('replace', 500, async (at) => {
    const held = (await store.get(`i ${at}`)) ?? Buffer.alloc(0)
    await store.replace(`i ${at}`, held, record(['a', 'b', 'c']))
  })
  await timed('remove', 250, (at) => store.remove(`i ${at}`))
  await timed('removeAll of one', 250, async (at) => {
    await store.insert(`r ${at}`, record([`r ${at}`]))
    await removeAll(store, `r ${at}`)
  })
}

async function large(store: TokenStore): Promise<void> {
  const many = Array.from({ length: 10_000 }, (_, at) => `m ${at}`)
  await together(many, 8, async (id) => {
    await store.insert(id, record(['everything', randomBytes(16).toString('base64url')]))
  })
  const start = performance.now()
  const steps = await removeAll(store, 'everything')
  const took = (performance.now() - start).toFixed(0)
  console.log(`removeAll of 10,000: ${took} ms in ${steps} steps`)
}

/** Refreshes every session five times, as five hours do, and sees what VACUUM leaves. */
async function churn(store: TokenStore, ids: string[]): Promise<void> {
  for (let round = 0; round < 5; round++) {
    await together(ids.slice(0, 5_000), 8, async (id) => {
      const held = (await store.get(id)) ?? Buffer.alloc(0)
      await store.replace(id, held, record(['a', 'b', 'c'].map((name) => `${name} ${id}`)))
    })
    await pool.query('VACUUM')
  }
  console.log('after 25,000 replacements, a quarter of all before each VACUUM:')
  await sizes()
}

async function removeAll(store: TokenStore, index: string): Promise<number> {
  const mark = {
    clock: 'here',
    establishedUntil: Date.now(),
    keepUntil: Date.now() + 60_000,
  } as const
  const unfinished = { id: `unfinished ${index}`, record: record([]) }
  for (let steps = 1; ; steps++) {
    const order = { owe: () => [], limit: 64, unfinished, resumed: steps > 1 }
    if (!(await store.removeAll([{ index, mark }], order)).more) return steps
  }
}

async function timed(what: string, times: number, work: (at: number) => unknown): Promise<void> {
  const took: number[] = []
  for (let at = 0; at < times; at++) {
    const start = performance.now()
    await work(at)
    took.push(performance.now() - start)
  }
  took.sort((a, b) => a - b)
  const [median = 0, slow = 0] = [0.5, 0.95].map((part) => took[Math.floor(times * part)])
  console.log(`${what}: median ${median.toFixed(2)} ms, 95 % below ${slow.toFixed(2)} ms`)
}

async function together<T>(all: T[], many: number, work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const walk = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await work(one)
  }
  await Promise.all(Array.from({ length: many }, walk))
}

function record(indexes: string[]): StoredRecord {
  const at = Date.now()
  const established = { provider: at, here: at }
  return { value: randomBytes(size), expiresAt: at + 3_600_000, established, indexes }
}
