import type { StoredRecord } from '../../core/tokens/store.ts'
import { type HeldRecord, indexBytesIn, read, toLive } from './record.ts'
import { BEGIN, READ, SUCCEED, SUCCEED_ALL, SWAP } from './scripts.ts'
import { groupBySlot, keepUntil, type Space } from './space.ts'

/** Records by id. Each method is one step on the server of the record. */
export interface Records {
  /** Its bytes. A replica refuses: it may not have heard of a sign-out. */
  bytes(id: string): Promise<Buffer | undefined>
  read(id: string): Promise<HeldRecord | undefined>
  /** Those of them that are there, with as few commands as their servers allow. */
  readAll(ids: readonly string[]): Promise<Found[]>
  /** Puts together what can be removed in one step: all, or what is on one server for sure. */
  together(found: readonly Found[]): Found[][]
  /** Writes where there is nothing that lasts; `false`: there is. */
  begin(id: string, bytes: Buffer, expiresAt: number): Promise<boolean>
  /**
   * Writes over the version with this stamp, if it is found under the indexes that `like` has.
   * `elsewhere`: it is that version, on its way to other indexes or back.
   */
  swap(
    id: string,
    stamp: Buffer,
    like: Buffer,
    bytes: Buffer,
    expiresAt: number,
  ): Promise<'done' | 'gone' | 'elsewhere'>
  /**
   * Removes the versions with these stamps, and writes what succeeds them on the same server. Where
   * one is another by now, `false`, and nothing has happened.
   */
  succeed(
    versions: readonly { readonly id: string; readonly stamp: Buffer }[],
    successors: readonly { readonly id: string; readonly record: StoredRecord }[],
  ): Promise<boolean>
}

/** A record as it was read, and where. */
export interface Found {
  readonly id: string
  readonly held: HeldRecord
}

/** The records of a space. */
export function createRecords(space: Space): Records {
  const { connection, keys, given } = space

  async function bytes(id: string): Promise<Buffer | undefined> {
    const key = keys.record(id)
    // Reads like GET and changes nothing, but counts as a write: no server answers it that became
    // a replica, or that lost those it must have (`min-replicas-to-write`).
    const answer = await connection.send(key, ['GETEX', key])
    return Buffer.isBuffer(answer) ? answer : undefined
  }

  /** Of records that one server has for sure. */
  async function readTogether(ids: readonly string[]): Promise<Found[]> {
    const [first] = ids
    const answer =
      ids.length === 1 && first !== undefined
        ? [await bytes(first)]
        : await connection.run(READ, ids.map(keys.record), [])
    if (!Array.isArray(answer)) return []
    return ids.flatMap((id, at) => {
      const found: unknown = answer[at]
      return Buffer.isBuffer(found) ? { id, held: read(found) } : []
    })
  }

  return {
    bytes,

    async read(id) {
      const found = await bytes(id)
      return found && read(found)
    },

    async readAll(ids) {
      const groups = groupBySlot(space, ids, keys.record)
      return (await Promise.all(groups.map(readTogether))).flat()
    },

    together: (found) => groupBySlot(space, found, ({ id }) => keys.record(id)),

    async begin(id, bytes, expiresAt) {
      const args = [given(), bytes, keepUntil(expiresAt)]
      return (await connection.run(BEGIN, [keys.record(id)], args)) === 1
    },

    async swap(id, stamp, like, bytes, expiresAt) {
      const args = [given(), stamp, indexBytesIn(like), bytes, keepUntil(expiresAt)]
      const answer = await connection.run(SWAP, [keys.record(id)], args)
      return answer === 1 ? 'done' : answer === 2 ? 'elsewhere' : 'gone'
    },

    async succeed(versions, successors) {
      const names = [...versions, ...successors].map(({ id }) => keys.record(id))
      const written = successors.flatMap(({ record }) => [
        toLive(record),
        keepUntil(record.expiresAt),
      ])
      const stamps = versions.map(({ stamp }) => stamp)
      const answer =
        versions.length === 1
          ? await connection.run(SUCCEED, names, [...stamps, ...written])
          : await connection.run(SUCCEED_ALL, names, [`${stamps.length}`, ...stamps, ...written])
      return answer === 1
    },
  }
}
