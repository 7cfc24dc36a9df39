import { connect, type RedisAnswer, type RedisClient } from '../../stores/redis/connection.ts'
import { oneKeyOfEachPrimary } from '../../stores/redis/primaries.ts'
import { valueAt } from '../../stores/redis/record.ts'
import type { RawContents, RawEntry } from './entry.ts'
import { printable } from './printable.ts'

/** Keys, or elements of one, that are asked for at once. */
const PAGE = '500'

/**
 * Every key of a Redis or Valkey, whoever's it is: of the database the client has selected, and of
 * every primary of a Cluster. The elements of a list, set, hash or stream are entries of their own.
 * Of types that only modules know it is the server's own dump.
 *
 * It shows what the server would serve now. What it has deleted may still be in its files: see
 * `fileContents`. While a Cluster moves slots, a key can be missed: wait until it has.
 */
export function redisContents(client: RedisClient): RawContents {
  const connection = connect(client)
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<RawEntry> {
      try {
        for (const owned of await oneKeyOfEachPrimary(connection)) {
          const ask: Ask = (...command) => connection.send(owned, command)
          for await (const keys of scan(ask, ['SCAN'])) {
            const types = await Promise.all(keys.map((key) => ask('TYPE', key)))
            for (const [at, key] of keys.entries()) yield* read(ask, key, String(types[at]))
          }
        }
      } finally {
        connection.close()
      }
    },
  }
}

/** Asks one server. */
type Ask = (...command: (string | Buffer)[]) => Promise<RedisAnswer>

async function* read(ask: Ask, key: Buffer, type: string): AsyncGenerator<RawEntry> {
  const element = (...parts: RedisAnswer[]): RawEntry => ({
    place: `${printable(key)} (element of a ${type}${idIn(parts[0])})`,
    key,
    bytes: Buffer.concat(parts.flatMap((part) => [...bytesIn(part), SPACE])),
    ...(type === 'hash' && MARKS.test(key.toString('latin1')) && { isMark: true }),
  })
  if (type === 'string') yield* whole(key, await ask('GET', key))
  else if (type === 'set') {
    for await (const page of scan(ask, ['SSCAN', key])) for (const one of page) yield element(one)
  } else if (type === 'hash' || type === 'zset') {
    const command = type === 'hash' ? 'HSCAN' : 'ZSCAN'
    for await (const page of scan(ask, [command, key])) {
      for (let at = 0; at < page.length; at += 2) {
        yield element(page[at] ?? null, page[at + 1] ?? null)
      }
    }
  } else if (type === 'list') {
    for (let at = 0; ; at += Number(PAGE)) {
      const page = list(await ask('LRANGE', key, String(at), String(at + Number(PAGE) - 1)))
      for (const one of page) yield element(one)
      if (page.length < Number(PAGE)) break
    }
  } else if (type === 'stream') {
    for (let from = '-'; ; ) {
      const page = list(await ask('XRANGE', key, from, '+', 'COUNT', PAGE))
      for (const one of page) yield element(one)
      if (page.length < Number(PAGE)) break
      from = `(${list(page.at(-1) ?? null)[0]}`
    }
  } else if (type !== 'none') yield* whole(key, await ask('DUMP', key))
}

/** A key that is gone by now has nothing. */
function* whole(key: Buffer, bytes: RedisAnswer): Generator<RawEntry> {
  if (!Buffer.isBuffer(bytes)) return
  const id = RECORD.exec(key.toString('latin1'))
  const entry = { place: printable(key), key, bytes }
  yield id === null
    ? entry
    : { ...entry, record: { id: `${id[1] ?? ''}${id[2]}`, sealedAt: valueAt(bytes) } }
}

async function* scan(ask: Ask, command: (string | Buffer)[]): AsyncGenerator<Buffer[]> {
  let cursor = '0'
  do {
    const [next, page] = list(await ask(...command, cursor, 'COUNT', PAGE))
    yield list(page).flatMap(bytesIn)
    cursor = String(next)
  } while (cursor !== '0')
}

/** Keys of records as `redisStore` names them, under any prefix. */
const RECORD = /r:([\w.-]+\/)?\{([swjk](?:\.[\w-]+)?)\}$/
const MARKS = /m:\{[\w-]{22}\}$/
const ID = /^[sw]\.[\w./-]+$/
const SPACE = Buffer.from(' ')

/** The element, if it says no more than which record it leads to. */
function idIn(element: RedisAnswer | undefined): string {
  const text = Buffer.isBuffer(element) ? element.toString('latin1') : ''
  return ID.test(text) ? `: ${text}` : ''
}

function list(answer: RedisAnswer | undefined): readonly RedisAnswer[] {
  return Array.isArray(answer) ? answer : []
}

function bytesIn(answer: RedisAnswer): Buffer[] {
  if (Buffer.isBuffer(answer)) return [answer]
  if (Array.isArray(answer)) return answer.flatMap(bytesIn)
  return answer === null ? [] : [Buffer.from(String(answer))]
}
