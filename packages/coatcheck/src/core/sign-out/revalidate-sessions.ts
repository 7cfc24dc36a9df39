import type { Context } from '../context.ts'
import { readSession } from '../session/read.ts'
import { toStored } from '../session/record.ts'
import { allUnder } from '../tokens/all-under.ts'
import { sameBytes } from '../tokens/bytes.ts'

/**
 * Has the provider asked about every session under these indexes that was established until
 * then, before its next token: a genuine logout token came too late to be obeyed. Resolves with
 * how many there were.
 */
export async function askBeforeNextToken(
  context: Context,
  indexes: readonly string[],
  establishedUntil: number,
): Promise<number> {
  let asked = 0
  for (const index of indexes) {
    for await (const { id } of allUnder(context, index)) {
      if (await flag(context, id, establishedUntil)) asked += 1
    }
  }
  return asked
}

async function flag(context: Context, id: string, establishedUntil: number): Promise<boolean> {
  const vault = await context.keyring.load()
  for (;;) {
    const held = await readSession(context, id)
    if (held === undefined || held.record.establishedAt > establishedUntil) return false
    if (held.record.mustRevalidate) return true
    const record = { ...held.record, mustRevalidate: true }
    const next = toStored(vault, id, record, context.configuration)
    if (await context.store.replace(id, held.bytes, next)) return true
    const again = await context.store.get(id)
    // The same bytes after a refusal: a mark covers them and their removal is on its way.
    if (again !== undefined && sameBytes(again, held.bytes)) return false
  }
}
