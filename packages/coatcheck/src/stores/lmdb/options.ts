import type { LmdbDatabase } from './table.ts'

/** Options of `open()` of the npm package `lmdb`, in pages. */
export interface LmdbOptions {
  readonly maxFreeSpaceToLoad: number
  readonly maxFreeSpaceToRetain: number
}

/**
 * What to open an environment with: `open({ path: './data', ...lmdbOptions })`. With its defaults
 * lmdb 3.5.6 keeps a list of free pages between transactions, and writes only what changed of it. Where
 * the list is long, as after many sign-outs, it may lose its place in it after a start: then it
 * refuses the transaction, or ends the process. And every commit costs as much as the list is long.
 * So nothing of it is kept, and a transaction reads little more than it needs (decision 020).
 */
export const lmdbOptions: LmdbOptions = Object.freeze({
  maxFreeSpaceToLoad: 1_000,
  maxFreeSpaceToRetain: 0,
})

/** Warns of an environment that was opened otherwise: it works, until it does not. */
export function warnOfOptions(database: LmdbDatabase): void {
  if (Reflect.get(database, 'maxFreeSpaceToRetain') === lmdbOptions.maxFreeSpaceToRetain) return
  process.emitWarning(
    'lmdb 3.5.6 with its own options may end the process that writes to an LMDB environment with ' +
      'much free space. Write lmdbStore(open({ path, ...lmdbOptions })), with lmdbOptions of ' +
      "'coatcheck/stores/lmdb', in every process that opens it.",
    { type: 'CoatcheckWarning', code: 'COATCHECK_LMDB_OPTIONS' },
  )
}
