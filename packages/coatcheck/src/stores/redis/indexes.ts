import { isRefused } from '../../core/tokens/marks.ts'
import type { Established, IndexMark, Mark, StoredRecord } from '../../core/tokens/store.ts'
import type { RedisAnswer } from './connection.ts'
import { CLOCK_FIELD } from './keys.ts'
import { ADD, DROP, LOOK, MARK, MARK_ALL } from './scripts.ts'
import { groupBySlot, keepUntil, type Space } from './space.ts'

/** Ids by index, and the marks on them. Each method is one step on the server of the index. */
export interface Indexes {
  /** Adds ids, and then reads the marks. */
  add(index: string, ids: readonly string[], expiresAt: number): Promise<IndexMarks>
  /** Reads the marks. */
  look(index: string, expiresAt: number): Promise<IndexMarks>
  /** Leaves each mark, and then reads the first ids of its index. */
  mark(marks: readonly IndexMark[], limit: number): Promise<string[][]>
  /** Ids in their order. */
  page(index: string, after: string | undefined, limit: number): Promise<string[]>
  drop(index: string, ids: readonly string[]): Promise<void>
  /** Takes ids out of several, in no order. */
  dropAll(idsUnder: ReadonlyMap<string, readonly string[]>): Promise<void>
}

/** The marks that one index had at one time of the store's clock. */
export interface IndexMarks {
  readonly index: string
  readonly now: number
  readonly marks: Readonly<Partial<Record<keyof Established, Mark>>>
}

/** Whether any of these marks refuses a record. */
export function areRefusing(record: StoredRecord, looked: readonly IndexMarks[]): boolean {
  return looked.some(({ index, now, marks }) =>
    isRefused({ ...record, indexes: [index] }, now, (clock) => marks[clock]),
  )
}

/** The indexes of a space. */
export function createIndexes(space: Space): Indexes {
  const { connection, keys, given } = space
  const keysOf = (index: string): [string, string] => [keys.index(index), keys.marks(index)]

  async function page(index: string, after: string | undefined, limit: number): Promise<string[]> {
    const key = keys.index(index)
    const from = after === undefined ? '-' : `(${after}`
    return toIds(
      await connection.send(key, ['ZRANGEBYLEX', key, from, '+', 'LIMIT', '0', String(limit)]),
    )
  }

  async function drop(index: string, ids: readonly string[]): Promise<void> {
    const key = keys.index(index)
    await connection.send(key, ['ZREM', key, ...ids])
  }

  return {
    async add(index, ids, expiresAt) {
      const args = [given(), keepUntil(expiresAt), ...ids]
      return toMarks(index, await connection.run(ADD, keysOf(index), args))
    },

    async look(index, expiresAt) {
      const args = [given(), keepUntil(expiresAt)]
      return toMarks(index, await connection.run(LOOK, keysOf(index), args))
    },

    async mark(marks, limit) {
      const all = marks.map(({ index, mark: { clock, establishedUntil, keepUntil: until } }) => ({
        names: keysOf(index),
        args: [CLOCK_FIELD[clock], String(establishedUntil), String(until), String(limit)],
      }))
      if (space.isSpread || all.length < 2) {
        const each = all.map(({ names, args }) => connection.run(MARK, names, args))
        return (await Promise.all(each)).map(toIds)
      }
      const names = all.flatMap((one) => one.names)
      const args = all.flatMap((one) => one.args)
      const pages = await connection.run(MARK_ALL, names, args)
      if (!Array.isArray(pages)) throw unexpected()
      return pages.map(toIds)
    },

    page,

    drop,

    async dropAll(idsUnder) {
      const groups = groupBySlot(space, [...idsUnder], ([index]) => keys.index(index))
      await Promise.all(
        groups.map(async (group) => {
          const [[index, ids] = ['', []]] = group
          if (group.length === 1) return drop(index, ids)
          const names = group.map(([each]) => keys.index(each))
          await connection.run(
            DROP,
            names,
            group.flatMap(([, some]) => [`${some.length}`, ...some]),
          )
        }),
      )
    },
  }
}

function toMarks(index: string, answer: RedisAnswer): IndexMarks {
  if (!Array.isArray(answer)) throw unexpected()
  const [now, provider, here] = answer.map(toText)
  return {
    index,
    now: Number(now),
    marks: { ...toMark('provider', provider), ...toMark('here', here) },
  }
}

function toMark(clock: keyof Established, text: string | undefined): IndexMarks['marks'] {
  if (text === undefined) return {}
  const [establishedUntil, keepUntil] = text.split(' ').map(Number)
  if (establishedUntil === undefined || keepUntil === undefined) throw unexpected()
  return { [clock]: { clock, establishedUntil, keepUntil } }
}

function toIds(answer: RedisAnswer): string[] {
  if (!Array.isArray(answer)) throw unexpected()
  return answer.map((id) => toText(id) ?? '')
}

function toText(answer: RedisAnswer | undefined): string | undefined {
  return answer === null || answer === undefined ? undefined : String(answer)
}

function unexpected(): Error {
  return new Error('The server answered something else than was asked for.')
}
