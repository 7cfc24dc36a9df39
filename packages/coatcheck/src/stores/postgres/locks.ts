import { createHash } from 'node:crypto'

/**
 * Statements that lock indexes until the transaction ends, so that an insert or replace sees the
 * mark of a removal or the removal sees what they wrote. Always in the order of the keys: nobody
 * waits for a lock in a circle.
 */
export function lockStatements(
  schema: string,
  indexes: readonly string[],
  how: 'shared' | 'exclusive',
): string[] {
  const keys = [...new Set(indexes.map((index) => keyOf(schema, index)))].sort(ascending)
  const lock = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
  return keys.map((key) => `SELECT ${lock}(${key})`)
}

/** 64 bits: two indexes that share a key wait for each other, and nothing worse. */
function keyOf(schema: string, index: string): bigint {
  const name = JSON.stringify(['coatcheck', schema, index])
  return createHash('sha256').update(name).digest().readBigInt64BE()
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}
