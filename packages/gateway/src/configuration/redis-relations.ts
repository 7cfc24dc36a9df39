import type { Path, Refuse } from './mistake.ts'
import { isRedisUrl } from './redis.ts'
import { at, isObject } from './tree.ts'

/** What settings of a Redis cannot go together: those of the store, and of each cache. */
export function redisRelations(tree: unknown, refuse: Refuse): void {
  const store = at(tree, ['store'])
  if (isObject(store)) reached(store, ['store'], refuse)
  if (typeof store === 'string') partsOf(store, ['store'], refuse)
  const caches = at(tree, ['msal'])
  if (!Array.isArray(caches)) return
  const names = caches.map((cache) => at(cache, ['name']))
  for (const [index, cache] of caches.entries()) {
    if (!isObject(cache)) continue
    reached(cache, ['msal', index], refuse)
    if (names.indexOf(names[index]) < index) {
      const message =
        names[index] === undefined
          ? 'it is missing, as in an earlier one: write a name by which receipts tell them apart'
          : 'an earlier one has this name: write another'
      refuse(['msal', index, 'name'], message)
    }
  }
}

function reached(servers: unknown, path: Path, refuse: Refuse): void {
  oneWay(servers, path, refuse)
  ofSentinels(servers, path, refuse)
  certificates(servers, path, refuse)
  const url = at(servers, ['url'])
  if (typeof url === 'string') besideUrl(servers, url, path, refuse)
}

function oneWay(servers: unknown, path: Path, refuse: Refuse): void {
  const ways = ['url', 'sentinels', 'cluster'].filter((name) => at(servers, [name]) !== undefined)
  const [way, ...others] = ways
  if (way === undefined) {
    refuse(
      [...path, 'url'],
      'it is missing: write the URL, or sentinels and masterName, or cluster',
      path,
    )
  }
  for (const other of others) {
    refuse([...path, other], `\`${way}\` is written too: leave one of the two`)
  }
}

function ofSentinels(servers: unknown, path: Path, refuse: Refuse): void {
  const has = (name: string): boolean => at(servers, [name]) !== undefined
  if (has('sentinels')) {
    const message = 'it is missing: write the name in `sentinel monitor`, such as mymaster'
    if (!has('masterName')) refuse([...path, 'masterName'], message, path)
    return
  }
  for (const name of ['masterName', 'sentinelUsername', 'sentinelPassword']) {
    if (!has(name)) continue
    refuse([...path, name], 'it is for Sentinels: write sentinels, or leave it out')
  }
  if (!has('database')) return
  refuse(
    [...path, 'database'],
    has('cluster')
      ? 'a Cluster has one database only: leave it out'
      : 'it is for Sentinels: write the number at the end of url, as in redis://host:6379/2',
  )
}

function certificates(servers: unknown, path: Path, refuse: Refuse): void {
  const files = ['certificate', 'key']
  const [missing, ...both] = files.filter((name) => at(servers, ['tls', name]) === undefined)
  if (missing === undefined || both.length > 0) return
  refuse([...path, 'tls', missing], 'it is missing: write certificate and key, or leave both out', [
    ...path,
    'tls',
  ])
}

const OF_REDIS = ['username', 'password', 'tls', 'confirmReplicas']

function besideUrl(servers: unknown, url: string, path: Path, refuse: Refuse): void {
  const written = OF_REDIS.filter((name) => at(servers, [name]) !== undefined)
  if (!isRedisUrl(url)) {
    for (const name of written) {
      refuse([...path, name], 'it is for Redis, and url is something else: leave it out')
    }
    return
  }
  partsOf(url, [...path, 'url'], refuse)
  const { protocol, username, password } = new URL(url)
  for (const name of ['username', 'password']) {
    if (written.includes(name) && (username !== '' || password !== '')) {
      refuse([...path, name], 'url has a user or a password in it: write both here, or both there')
    }
  }
  if (written.includes('tls') && protocol === 'redis:') {
    refuse([...path, 'tls'], 'url says redis://, which is without TLS: write rediss://')
  }
}

/** What the driver would take for something else, and tell nobody. */
function partsOf(url: string, path: Path, refuse: Refuse): void {
  if (!isRedisUrl(url)) return
  const { pathname, search, hash, username, password } = new URL(url)
  if (!/^\/?\d*$/.test(pathname)) {
    refuse(
      path,
      'behind the host is no number of a database: write redis://host:6379/2, or nothing',
    )
  }
  if (search !== '' || hash !== '') {
    refuse(
      path,
      'it has a ? or # in it: settings are written beside url, and in a password %3F and %23',
    )
  }
  if (!isEscaped(username) || !isEscaped(password)) {
    refuse(path, 'its user or password has a % that escapes nothing: write %25, or passwordFile')
  }
}

function isEscaped(part: string): boolean {
  try {
    decodeURIComponent(part)
    return true
  } catch {
    return false
  }
}
