import { anchorOf, type Established } from '../../core/tokens/store.ts'

/*
 * What is in braces decides on the server of a Cluster (Redis Cluster specification, hash tags):
 * an index and its mark live together, and so do a record and what succeeds it.
 *
 *   prefix r:name/{anchor}   a record: layout in record.ts
 *   prefix i:{index}         the ids under an index, a sorted set in which all scores are 0
 *   prefix m:{index}         the marks on it, a hash with a field for each clock
 *   prefix c:name            a claim, and until when
 *   prefix e:number          ids by the time at which their records end: a sorted set
 *   prefix f                 the format of all of it
 */

/** Names of keys under a prefix. */
export interface Keys {
  record(id: string): string
  index(index: string): string
  marks(index: string): string
  claim(name: string): string
  /** Where the end of a record is noted. */
  ends(id: string): string
  /** All of these. */
  readonly allEnds: readonly string[]
  readonly format: string
}

/** Fields of the marks' hash. */
export const CLOCK_FIELD: Readonly<Record<keyof Established, string>> = { provider: 'p', here: 'h' }

/** Ends of records are spread over so many keys, and with them over the servers of a Cluster. */
const SHARDS = 16

/** The keys of a store. Throws a `TypeError` where the prefix would move them to other servers. */
export function createKeys(prefix: string): Keys {
  if (typeof prefix !== 'string' || /[{}]/.test(prefix)) {
    throw new TypeError('`prefix` of redisStore is a text without braces, such as "shop:".')
  }
  const allEnds = Array.from({ length: SHARDS }, (_, shard) => `${prefix}e:${shard}`)
  return {
    record(id) {
      const anchor = anchorOf(id)
      return `${prefix}r:${id.slice(0, id.length - anchor.length)}{${anchor}}`
    },
    index: (index) => `${prefix}i:{${index}}`,
    marks: (index) => `${prefix}m:{${index}}`,
    claim: (name) => `${prefix}c:${name}`,
    ends: (id) => allEnds[shardOf(id)] ?? prefix,
    allEnds,
    format: `${prefix}f`,
  }
}

function shardOf(id: string): number {
  let sum = 0
  for (let at = 0; at < id.length; at++) sum = (sum * 31 + id.charCodeAt(at)) & 0xffff
  return sum % SHARDS
}
