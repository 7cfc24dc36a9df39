import { noProgress, writeProgress } from './journal-progress.ts'

/** The part of lmdb's `RootDatabase` that the store calls. What `open()` of npm `lmdb` gives fits. */
export interface LmdbDatabase {
  openDB(options: {
    name: string
    encoding: 'binary'
    keyEncoding: 'binary'
    compression: false
  }): LmdbTable
}

/** The part of lmdb's `Database` that the store calls. */
export interface LmdbTable {
  /** Valid until the next call only. */
  getBinaryFast(key: Uint8Array): Uint8Array | undefined
  getKeys(range: { start: Uint8Array; end: Uint8Array }): Iterable<Uint8Array>
  put(key: Uint8Array, value: Uint8Array): unknown
  /** Inside a transaction: whether the row was written. */
  putSync(key: Uint8Array, value: Uint8Array, options: { append: true }): unknown
  remove(key: Uint8Array): unknown
  transaction<T>(action: () => T): Promise<T>
  transactionSync<T>(action: () => T): T
  /** Settles when what was written before is visible. */
  readonly committed: PromiseLike<unknown>
  /** Settles when what was written before is on disk. */
  readonly flushed: PromiseLike<unknown>
  resetReadTxn(): void
  getStats(): object
}

/** A table of this format, ready for use, and the page size of its environment in bytes. */
export interface OpenTable {
  readonly table: LmdbTable
  readonly pageSize: number
}

const NAME = 'coatcheck'
/** Raised whenever the layout changes: records of another layout are never misread. */
const FORMAT = 4
const FORMAT_KEY: Uint8Array = Buffer.from('\0format')

/** Opens the table the store keeps everything in. Throws a `TypeError` on another format. */
export function openTable(database: LmdbDatabase): OpenTable {
  if (typeof database?.openDB !== 'function') {
    throw new TypeError(
      'lmdbStore wants what open() of the npm package lmdb returns: ' +
        "lmdbStore(open({ path: './data', ...lmdbOptions })).",
    )
  }
  // One that is opened so has tables without any method that writes.
  if (Reflect.get(database, 'readOnly') === true) {
    throw new TypeError(
      'This LMDB environment is opened for reading only: leave out `readOnly`, and let the process ' +
        'write to the folder.',
    )
  }
  const table = database.openDB({
    name: NAME,
    encoding: 'binary',
    keyEncoding: 'binary',
    compression: false,
  })
  table.resetReadTxn()
  const format = formatOf(table) ?? table.transactionSync(() => settleFormat(table))
  if (format !== FORMAT) {
    throw new TypeError(
      `This LMDB environment holds coatcheck records of format ${format}, and this version reads ` +
        `format ${FORMAT}. Use the version of coatcheck that wrote them, or open an empty folder: ` +
        'then everybody has to sign in again.',
    )
  }
  const { pageSize = 4096 } = table.getStats() as { pageSize?: number }
  return { table, pageSize }
}

/** Inside a transaction, since another process may be opening the same new environment. */
function settleFormat(table: LmdbTable): number {
  const format = formatOf(table)
  if (format === undefined) {
    table.put(FORMAT_KEY, Uint8Array.of(FORMAT))
    writeProgress(table, noProgress())
  }
  return format ?? FORMAT
}

function formatOf(table: LmdbTable): number | undefined {
  return table.getBinaryFast(FORMAT_KEY)?.[0]
}
