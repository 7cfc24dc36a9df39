import type { RedisAnswer, RedisConnection } from '../stores/redis/connection.ts'
import { oneKeyOfEachPrimary } from '../stores/redis/primaries.ts'

/** Keys that are asked for and looked at together: some milliseconds of the server's time. */
const PAGE = '200'

/**
 * The keys that match a pattern, a page at a time, of a server or of every primary of a Cluster. A
 * key that is there from beginning to end is among them, and may be more than once.
 */
export async function* scanKeys(
  connection: RedisConnection,
  pattern: string,
): AsyncGenerator<readonly Buffer[]> {
  for (const owned of await oneKeyOfEachPrimary(connection)) {
    let cursor = '0'
    do {
      const answer = await connection.send(owned, [
        ...['SCAN', cursor, 'MATCH', pattern, 'COUNT', PAGE],
      ])
      const [next, page] = listIn(answer)
      yield buffersIn(page)
      cursor = String(next)
    } while (cursor !== '0')
  }
}

/** The fields of a hash and their values, a page at a time. */
export async function* scanFields(
  connection: RedisConnection,
  key: Buffer,
): AsyncGenerator<readonly (readonly [field: Buffer, value: Buffer])[]> {
  let cursor = '0'
  do {
    const command = ['HSCAN', key, cursor, 'COUNT', PAGE]
    const [next, page] = listIn(await connection.send(key.toString(), command))
    const flat = buffersIn(page)
    yield flat.flatMap((field, at) => {
      const value = flat[at + 1]
      return at % 2 === 0 && value !== undefined ? [[field, value] as const] : []
    })
    cursor = String(next)
  } while (cursor !== '0')
}

function listIn(answer: RedisAnswer | undefined): readonly RedisAnswer[] {
  return Array.isArray(answer) ? answer : []
}

function buffersIn(answer: RedisAnswer | undefined): Buffer[] {
  return listIn(answer).filter((one) => Buffer.isBuffer(one))
}
