import type { RedisAnswer, RedisConnection } from './connection.ts'
import { slotOf } from './slot.ts'

/**
 * A key that each primary of a Cluster owns, to ask all of them with; of a server on its own, any.
 * While a Cluster moves slots a primary can be missed.
 */
export async function oneKeyOfEachPrimary(connection: RedisConnection): Promise<string[]> {
  if (connection.kind === 'single') return ['']
  const slots = new Map<string, number>()
  for (const range of list(await connection.send('', ['CLUSTER', 'SLOTS']))) {
    const [first, , primary] = list(range)
    slots.set(String(list(primary)[2]), Number(first))
  }
  return [...slots.values()].map(keyOf)
}

function keyOf(slot: number): string {
  for (let nth = 0; ; nth += 1) if (slotOf(String(nth)) === slot) return String(nth)
}

function list(answer: RedisAnswer | undefined): readonly RedisAnswer[] {
  return Array.isArray(answer) ? answer : []
}
