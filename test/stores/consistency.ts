import assert from 'node:assert/strict'
import type { RootDatabase } from 'lmdb'
import { expiresAtIn, indexesIn } from '#coatcheck/stores/layout/record-bytes'
import { createEndingRows } from '#coatcheck/stores/lmdb/ending-rows'
import { endKey, indexKey, partKey, recordId } from '#coatcheck/stores/lmdb/keys'
import { createRecords } from '#coatcheck/stores/lmdb/records'
import { openTable } from '#coatcheck/stores/lmdb/table'

/**
 * Checks that every record, mark and claim in an environment is complete and found by all that
 * should point to it, and that nothing else lies about. Returns how many rows of each kind there
 * are, by the first letter of their keys.
 */
export function assertConsistent(database: RootDatabase): Record<string, number> {
  const opened = openTable(database)
  const { table } = opened
  const records = createRecords(opened)
  const rows = createEndingRows(table)
  const found = new Set<string>()
  const expected = new Set<string>()
  const counts: Record<string, number> = {}
  table.resetReadTxn()
  for (const key of table.getKeys({ start: Uint8Array.of(0), end: Uint8Array.of(255) })) {
    found.add(hex(key))
    const kind = String.fromCharCode(key[0] ?? 0)
    counts[kind] = (counts[kind] ?? 0) + 1
    if ('rmcno\0'.includes(kind)) expected.add(hex(key))
    const id = recordId(key)
    if (id !== undefined) {
      const held = records.read(id)
      assert.ok(held !== undefined)
      expected.add(hex(endKey(expiresAtIn(held.bytes), key)))
      for (const index of indexesIn(held.bytes)) expected.add(hex(indexKey(index, id)))
      const { number, parts } = held.place
      for (let part = 0; part < parts; part++) expected.add(hex(partKey(number, part)))
    } else if ('mc'.includes(kind)) {
      const [until = 0] = rows.read(key) ?? []
      expected.add(hex(endKey(until, key)))
    }
  }
  assert.deepEqual([...found].sort(), [...expected].sort())
  return counts
}

function hex(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
