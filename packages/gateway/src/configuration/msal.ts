import { z } from 'zod'
import type { GatewayConfiguration } from './configuration.ts'
import { maybe, positive, text } from './kinds.ts'
import { isRedisUrl, redisServers, redisShape } from './redis.ts'

const URL_FIX = 'write redis://host:6379 or rediss://host:6379'
const KEYS_FIX =
  'write a list of patterns of Redis, such as Orders_* for an application with InstanceName Orders_'

const cache = z
  .strictObject(
    {
      name: maybe(
        text(
          {
            what: 'Distinguishes it from others: in receipts it is `msal-` and this. Default: only `msal`.',
            fix: 'write lower-case letters, digits and hyphens, 50 at most',
          },
          (value) => /^[a-z0-9][a-z0-9-]{0,49}$/.test(value),
        ),
      ),
      url: maybe(text({ what: '`redis://…` or `rediss://…`.', fix: URL_FIX }, isRedisUrl)),
      ...redisShape,
      keys: z
        .array(
          text({ what: '', fix: KEYS_FIX }, (value) => value !== ''),
          KEYS_FIX,
        )
        .min(1, KEYS_FIX)
        .meta({
          description:
            'Which keys to look into, as patterns: `Orders_*` for an application with that `InstanceName`. `{account}` stands for the home account id; without any `*` the key is looked up instead of all keys being gone through.',
        }),
      withinSeconds: maybe(
        positive({
          what: 'How long one attempt may take; then it is made again. Default: 30.',
          fix: 'write a number of seconds above 0',
        }),
      ),
    },
    'write an object with url and keys',
  )
  .transform(({ name, url = '', keys, withinSeconds, ...redis }) => ({
    name: name === undefined ? 'msal' : `msal-${name}`,
    servers: redisServers(url, redis),
    keys,
    withinSeconds,
  }))

/** Caches of Microsoft's libraries. */
export const msal: z.ZodType<NonNullable<GatewayConfiguration['msal']>> = z
  .array(cache, 'write a list of caches, each with url and keys')
  .default([])
  .meta({
    description:
      'Redis caches in which Microsoft.Identity.Web or an MSAL of applications keeps tokens: a sign-out removes the user’s from them.',
  })
