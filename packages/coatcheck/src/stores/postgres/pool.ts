/** The part of `Pool` of the npm package `pg` that the store calls. What `new Pool()` gives fits. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
}

/** A connection that was taken out of the pool. */
export interface PostgresClient {
  query(statement: PostgresStatement): Promise<PostgresAnswer>
  on(event: 'error', listener: () => void): unknown
  off(event: 'error', listener: () => void): unknown
  /** Back into the pool, or out of it for good where an error comes along. */
  release(error?: Error): void
}

/** A statement and what goes into it. It has no name: nothing stays in the session. */
export interface PostgresStatement {
  text: string
  values?: unknown[]
  /** How a column becomes a value: the application may have changed what `pg` does by itself. */
  types?: { getTypeParser(): (text: string) => string }
}

/** What a statement answers. */
export interface PostgresAnswer {
  command: string
  rows: unknown[]
}

/** Throws a `TypeError` that says what to write where it is no pool. */
export function checkPool(pool: unknown): void {
  const can = (name: string): boolean =>
    typeof pool === 'object' && pool !== null && typeof Reflect.get(pool, name) === 'function'
  if (['connect', 'on', 'off'].every(can)) return
  throw new TypeError(
    'postgresStore wants a Pool of the npm package pg: postgresStore(new Pool({ connectionString })).',
  )
}

/**
 * Listens for the `error` of a pool: a connection broke that nobody was using, as all do where the
 * server is started again, and the pool has replaced it already. Without a listener the process
 * would end.
 */
export function dropped(): void {
  // Whoever wants to know listens too.
}
