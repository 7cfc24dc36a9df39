import type { RedisAnswer } from './connection.ts'
import { keepUntil, LONGEST_ABSENCE, type Space } from './space.ts'

/**
 * When records end. Not moved when a record is prolonged, which happens all the time: the sweep
 * finds that out and notes the new end.
 */
export interface Ends {
  note(ids: readonly string[], expiresAt: number): Promise<void>
  drop(ids: readonly string[]): Promise<void>
  /** Ids that were noted to end until now, in no order. */
  due(limit: number): Promise<string[]>
  /** Some of those that were noted, if there are any. */
  some(): Promise<string[]>
}

/** The ends of a space. */
export function createEnds({ connection, keys, now }: Space): Ends {
  async function forEachKey(
    ids: readonly string[],
    work: (key: string, ids: string[]) => Promise<unknown>,
  ): Promise<void> {
    const byKey = new Map<string, string[]>()
    for (const id of ids) byKey.set(keys.ends(id), [...(byKey.get(keys.ends(id)) ?? []), id])
    await Promise.all([...byKey].map(([key, some]) => work(key, some)))
  }

  return {
    note: (ids, expiresAt) =>
      forEachKey(ids, async (key, some) => {
        const score = String(Math.ceil(expiresAt))
        await Promise.all([
          connection.send(key, ['ZADD', key, ...some.flatMap((id) => [score, id])]),
          connection.send(key, ['PEXPIREAT', key, keepUntil(now() + LONGEST_ABSENCE)]),
        ])
      }),

    drop: (ids) => forEachKey(ids, (key, some) => connection.send(key, ['ZREM', key, ...some])),

    async due(limit) {
      const range = ['-inf', String(now()), 'LIMIT', '0', String(limit)]
      const found = await Promise.all(
        keys.allEnds.map((key) => connection.send(key, ['ZRANGEBYSCORE', key, ...range])),
      )
      return found.flatMap(toIds).slice(0, limit)
    },

    async some() {
      const found = await Promise.all(
        keys.allEnds.map((key) => connection.send(key, ['ZRANGE', key, `-${SOME}`, '-1'])),
      )
      return found.flatMap(toIds)
    },
  }
}

/** Of each of the keys. */
const SOME = 20

function toIds(answer: RedisAnswer): string[] {
  return Array.isArray(answer) ? answer.map(String) : []
}
