import type { StoredRecord } from '../../core/tokens/store.ts'
import { type HeldRecord, indexBytesIn, read, toLive } from './record.ts'
import { BEGIN, SUCCEED, SWAP } from './scripts.ts'
import { keepUntil, type Space } from './space.ts'

/** Records by id. Each method is one step on the server of the record. */
export interface Records {
  /** Its bytes. A replica refuses: it may not have heard of a sign-out. */
  bytes(id: string): Promise<Buffer | undefined>
  read(id: string): Promise<HeldRecord | undefined>
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
  /** Removes the version with this stamp, and writes what succeeds it on the same server. */
  succeed(
    id: string,
    stamp: Buffer,
    successors: readonly { readonly id: string; readonly record: StoredRecord }[],
  ): Promise<boolean>
}

/** The records of a space. */
export function createRecords({ connection, keys, given }: Space): Records {
  async function bytes(id: string): Promise<Buffer | undefined> {
    const key = keys.record(id)
    // Reads like GET and changes nothing, but counts as a write: no server answers it that became
    // a replica, or that lost those it must have (`min-replicas-to-write`).
    const answer = await connection.send(key, ['GETEX', key])
    return Buffer.isBuffer(answer) ? answer : undefined
  }

  return {
    bytes,

    async read(id) {
      const found = await bytes(id)
      return found && read(found)
    },

    async begin(id, bytes, expiresAt) {
      const args = [given(), bytes, keepUntil(expiresAt)]
      return (await connection.run(BEGIN, [keys.record(id)], args)) === 1
    },

    async swap(id, stamp, like, bytes, expiresAt) {
      const args = [given(), stamp, indexBytesIn(like), bytes, keepUntil(expiresAt)]
      const answer = await connection.run(SWAP, [keys.record(id)], args)
      return answer === 1 ? 'done' : answer === 2 ? 'elsewhere' : 'gone'
    },

    async succeed(id, stamp, successors) {
      const names = [id, ...successors.map((successor) => successor.id)].map(keys.record)
      const written = successors.flatMap(({ record }) => [
        toLive(record),
        keepUntil(record.expiresAt),
      ])
      return (await connection.run(SUCCEED, names, [stamp, ...written])) === 1
    },
  }
}
