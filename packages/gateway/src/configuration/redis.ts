import { z } from 'zod'
import type { HostAndPort, RedisServers, RedisTls } from './configuration.ts'
import { fileOf, isFilled, maybe, text, whole } from './kinds.ts'

const SENTINELS_FIX = 'write a list of Sentinels, such as redis-1:26379'
const CLUSTER_FIX = 'write a list of nodes, such as redis-1:6379'
const PASSWORD_FIX = 'write the password, or name a file'
const TLS_FIX = 'write true, or an object with ca, certificate and key, each the path of a PEM file'
const PEM = 'write the path of a PEM file'

const pem = (what: string): z.ZodType<string | undefined> =>
  maybe(text({ what, fix: PEM }, isFilled))

const tls: z.ZodType<RedisTls | undefined> = maybe(
  z.union(
    [
      z.literal(true, TLS_FIX).transform(() => NO_FILES),
      z.strictObject(
        {
          ca: pem('PEM file with the certificates that are trusted instead of the usual ones.'),
          certificate: pem('PEM file with the certificate that this gateway shows.'),
          key: pem('PEM file with its private key.'),
        },
        TLS_FIX,
      ),
    ],
    TLS_FIX,
  ),
).meta({
  description:
    'Redis: `true` for TLS to Sentinels, to nodes and to the servers they name; `rediss://…` says it by itself. In full: the files of a certificate authority of your own.',
})

const NO_FILES: RedisTls = { ca: undefined, certificate: undefined, key: undefined }

/** How a Redis is reached where a URL does not say it. A part of the store's settings, and of others'. */
export const redisShape: { readonly [Name in keyof Written]: z.ZodType<Written[Name]> } = {
  sentinels: addresses('Redis behind Sentinels: `host:port` of each.', SENTINELS_FIX),
  masterName: maybe(
    text(
      {
        what: 'The name that the Sentinels have for it.',
        fix: 'write the name in `sentinel monitor`, such as mymaster',
      },
      isFilled,
    ),
  ),
  sentinelUsername: maybe(
    text({ what: 'Who asks the Sentinels.', fix: 'write a user name' }, isFilled),
  ),
  sentinelPassword: maybe(
    text({ what: 'The password of the Sentinels.', fix: PASSWORD_FIX }, isFilled),
  ),
  sentinelPasswordFile: fileOf('A file that holds `sentinelPassword`.'),
  cluster: addresses(
    'A Redis Cluster: `host:port` of some nodes, which know the others.',
    CLUSTER_FIX,
  ),
  username: maybe(
    text(
      { what: 'Redis: the user, where it is not in the URL.', fix: 'write a user name' },
      isFilled,
    ),
  ),
  password: maybe(
    text({ what: 'Redis: the password, where it is not in the URL.', fix: PASSWORD_FIX }, isFilled),
  ),
  passwordFile: fileOf('A file that holds `password`.'),
  database: maybe(
    whole(
      {
        what: 'The number of the database behind Sentinels; in a URL it is the path.',
        fix: 'write the number of a database, 0 or more',
      },
      0,
    ),
  ),
  tls,
}

interface Written {
  readonly sentinels: readonly string[] | undefined
  readonly masterName: string | undefined
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
  readonly sentinelPasswordFile: string | undefined
  readonly cluster: readonly string[] | undefined
  readonly username: string | undefined
  readonly password: string | undefined
  readonly passwordFile: string | undefined
  readonly database: number | undefined
  readonly tls: RedisTls | undefined
}

/** Where a Redis is. What cannot go together is refused elsewhere, and never comes so far. */
export function redisServers(url: string, written: Partial<Written>): RedisServers {
  const { username, password, tls } = written
  return { at: whereIn(url, written), username, password, tls }
}

function whereIn(url: string, written: Partial<Written>): RedisServers['at'] {
  const { sentinels, masterName = '', cluster, sentinelUsername, sentinelPassword } = written
  if (cluster !== undefined) return { kind: 'cluster', nodes: addressesIn(cluster, 6379) }
  if (sentinels === undefined) return { kind: 'single', url }
  return {
    kind: 'sentinels',
    sentinels: addressesIn(sentinels, 26_379),
    masterName,
    username: sentinelUsername,
    password: sentinelPassword,
    database: written.database ?? 0,
  }
}

/** Whether a URL leads to a Redis. */
export function isRedisUrl(value: string): boolean {
  return /^rediss?:\/\/./.test(value) && URL.canParse(value)
}

function addressesIn(list: readonly string[], usualPort: number): HostAndPort[] {
  return list.flatMap((value) => addressIn(value, usualPort) ?? [])
}

function addresses(what: string, fix: string): z.ZodType<readonly string[] | undefined> {
  const member = text({ what: '', fix }, (value) => addressIn(value, 0) !== undefined)
  return maybe(z.array(member, fix).min(1, fix)).meta({ description: what })
}

const ADDRESS = /^(?:\[([\da-f:]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i

function addressIn(value: string, usualPort: number): HostAndPort | undefined {
  const [whole, inBrackets, host = inBrackets ?? '', written] = ADDRESS.exec(value) ?? []
  const port = Number(written ?? usualPort)
  return whole === undefined || port > 65_535 ? undefined : { host, port }
}
