import { z } from 'zod'
import type { StoreConfiguration } from './configuration.ts'
import { maybe, text, whole } from './kinds.ts'

const FIX =
  'write a folder such as ./sessions, redis://host:6379, postgres://user@host/database, or memory'

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
      url.transform((value) => toStore(value, undefined)),
      z
        .strictObject(
          {
            url,
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
          FIX,
        )
        .transform(({ url, confirmReplicas }) => toStore(url, confirmReplicas)),
    ],
    FIX,
  )
  .prefault('./coatcheck-sessions')
  .meta({
    description:
      'Where sessions are kept: a folder such as `./sessions` (LMDB), `redis://…`, `rediss://…`, `postgres://…`, or `memory`. In full: an object with `url` and `confirmReplicas`.',
  })

function toStore(value: string, confirmReplicas: number | undefined): StoreConfiguration {
  const store = storeIn(value) ?? { kind: 'memory' }
  return store.kind === 'redis' ? { ...store, confirmReplicas } : store
}

function storeIn(value: string): StoreConfiguration | undefined {
  if (value === 'memory') return { kind: 'memory' }
  if (/^(\.{1,2}($|\/)|\/)/.test(value)) return { kind: 'lmdb', path: value }
  if (!/^(rediss?|postgres|postgresql):\/\/./.test(value) || !URL.canParse(value)) return undefined
  return value.startsWith('redis')
    ? { kind: 'redis', url: value, confirmReplicas: undefined }
    : { kind: 'postgres', url: value }
}
