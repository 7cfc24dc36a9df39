import { z } from 'zod'
import type { StoreConfiguration } from './configuration.ts'
import { maybe, text, whole } from './kinds.ts'
import { isRedisUrl, redisServers, redisShape } from './redis.ts'

const FIX =
  'write a folder such as ./sessions, redis://host:6379, postgres://user@host/database, or memory'
const OBJECT_FIX =
  'write a folder or a URL, or an object with url, or with sentinels and masterName, or with cluster'

const url = text(
  {
    what: 'A folder such as `./sessions` (LMDB), `redis://…`, `rediss://…`, `postgres://…`, or `memory`.',
    fix: FIX,
  },
  (value) => storeIn(value) !== undefined,
)

/** Where sessions are kept. */
export const store: z.ZodType<StoreConfiguration> = z
  .union(
    [
      url.transform((value) => storeIn(value) ?? NOWHERE),
      z
        .strictObject(
          {
            url: maybe(url),
            ...redisShape,
            confirmReplicas: maybe(
              whole(
                {
                  what: 'Redis only: a sign-out is answered when so many replicas have it.',
                  fix: 'write how many replicas, 0 or more',
                },
                0,
              ),
            ),
          },
          OBJECT_FIX,
        )
        .transform(({ url, confirmReplicas, ...redis }): StoreConfiguration => {
          const named = url === undefined ? undefined : storeIn(url)
          if (named !== undefined && named.kind !== 'redis') return named
          return { kind: 'redis', servers: redisServers(url ?? '', redis), confirmReplicas }
        }),
    ],
    FIX,
  )
  .prefault('./coatcheck-sessions')
  .meta({
    description:
      'Where sessions are kept: a folder such as `./sessions` (LMDB), `redis://…`, `rediss://…`, `postgres://…`, or `memory`. In full: an object with `url`, or, for Redis, `sentinels` and `masterName`, or `cluster`.',
  })

/** For the type only: what is none was refused. */
const NOWHERE: StoreConfiguration = { kind: 'memory' }

/** What a store written in one line is; nothing where it is none. */
function storeIn(value: string): StoreConfiguration | undefined {
  if (value === 'memory') return { kind: 'memory' }
  if (/^(\.{1,2}($|\/)|\/)/.test(value)) return { kind: 'lmdb', path: value }
  if (isRedisUrl(value)) {
    return { kind: 'redis', servers: redisServers(value, {}), confirmReplicas: undefined }
  }
  if (!/^(postgres|postgresql):\/\/./.test(value) || !URL.canParse(value)) return undefined
  return { kind: 'postgres', url: value }
}
