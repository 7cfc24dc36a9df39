import type { PostgresClient, PostgresPool } from '../../stores/postgres/pool.ts'
import type { RawContents, RawEntry } from './entry.ts'

/** What {@link postgresContents} may be told. */
export interface PostgresContentsOptions {
  /** Only tables of these schemas. Default: all but the server's own. */
  readonly schemas?: readonly string[]
}

/** Rows that are fetched at once. */
const PAGE = 500

/**
 * Every row of every table of a database, whoever's it is, as it was at one moment. Fails where the
 * user may not read a table, or only some of its rows: what was not looked at is not passed over.
 *
 * It shows what a query finds. Rows that were deleted stay in the table's file until VACUUM, and in
 * the write-ahead log: see `fileContents`. Large objects are not read.
 */
export function postgresContents(
  pool: PostgresPool,
  options: PostgresContentsOptions = {},
): RawContents {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<RawEntry> {
      const client = await pool.connect()
      // What is said here is said to the query too; unheard, it would end the process.
      client.on('error', alsoTold)
      let failure: Error | undefined
      try {
        const ask = asking(client)
        await ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        // With it on, rows that a policy hides would just be missing.
        await ask('SET LOCAL row_security = off')
        for (const table of await tablesIn(ask, options)) yield* rowsOf(ask, table)
      } catch (error) {
        failure = new Error('The connection was in the middle of something.')
        throw error
      } finally {
        if (failure === undefined) await client.query({ text: 'ROLLBACK' })
        client.off('error', alsoTold)
        client.release(failure)
      }
    },
  }
}

type Row = Readonly<Record<string, string | null>>
type Ask = (text: string, values?: unknown[]) => Promise<readonly Row[]>

interface Table {
  readonly schema: string
  readonly name: string
  readonly columns: readonly Column[]
}

interface Column {
  readonly name: string
  readonly isBytes: boolean
}

function asking(client: PostgresClient): Ask {
  const types = { getTypeParser: () => (text: string) => text }
  return async (text, values = []) => (await client.query({ text, values, types })).rows as Row[]
}

async function tablesIn(ask: Ask, { schemas }: PostgresContentsOptions): Promise<Table[]> {
  const rows = await ask(COLUMNS, [schemas ?? null])
  const tables = new Map<string, Table & { columns: Column[] }>()
  for (const { id, schema, name, column, type } of rows) {
    const table = tables.get(id ?? '') ?? { schema: schema ?? '', name: name ?? '', columns: [] }
    tables.set(id ?? '', table)
    // A table without columns has none to show.
    if (column != null) table.columns.push({ name: column, isBytes: type === 'bytea' })
  }
  return [...tables.values()]
}

/** Tables that hold rows themselves: not views, nor the wholes of which these are partitions. */
const COLUMNS = `
  SELECT c.oid AS id, n.nspname AS schema, c.relname AS name, a.attname AS column, t.typname AS type
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname !~ '^pg_(toast|temp)' AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
  ORDER BY n.nspname, c.relname, a.attnum`

async function* rowsOf(ask: Ask, table: Table): AsyncGenerator<RawEntry> {
  const columns = table.columns.map(({ name, isBytes }, at) => {
    const column = quoted(name)
    return `${isBytes ? `encode(${column}, 'hex')` : `${column}::text`} AS c${at}`
  })
  const from = `${quoted(table.schema)}.${quoted(table.name)}`
  const select = ['ctid::text AS place', ...columns].join(', ')
  await ask(`DECLARE rows NO SCROLL CURSOR FOR SELECT ${select} FROM ONLY ${from}`)
  for (;;) {
    const page = await ask(`FETCH ${PAGE} FROM rows`)
    for (const row of page) yield toEntry(table, row)
    if (page.length < PAGE) break
  }
  await ask('CLOSE rows')
}

/** Texts first, then bytes: so a record's sealed text goes to the end. */
function toEntry({ schema, name, columns }: Table, row: Row): RawEntry {
  const values = columns.flatMap((column, at) => {
    const value = row[`c${at}`]
    return value == null ? [] : [{ ...column, value }]
  })
  const text = Buffer.from(
    values.map((one) => (one.isBytes ? '' : `${one.name}=${one.value}\n`)).join(''),
  )
  const bytes = values.flatMap((one) => (one.isBytes ? Buffer.from(one.value, 'hex') : []))
  const id = name === 'records' ? values.find((one) => one.name === 'id')?.value : undefined
  return {
    place: `${schema}.${name} ${id ?? ''}${row['place']}`,
    bytes: Buffer.concat([text, ...bytes]),
    ...(id !== undefined && isOurs(columns) && { record: { id, sealedAt: text.length } }),
  }
}

/** Whether a table of this name is one of `postgresStore`. */
function isOurs(columns: readonly Column[]): boolean {
  const names = columns.map(({ name }) => name)
  return ['head', 'tail', 'expires_at', 'provider', 'here', 'indexes'].every((one) =>
    names.includes(one),
  )
}

function alsoTold(): void {}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
