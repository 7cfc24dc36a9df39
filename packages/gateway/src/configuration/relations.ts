import { accessSync, constants } from 'node:fs'
import { resolve } from 'node:path'
import { ONLY_NAME } from './applications.ts'
import { keyOf, type Mistake, type Path } from './mistake.ts'
import { at } from './secret-files.ts'
import type { Source } from './source.ts'

/**
 * What cannot go together, although each of it by itself is fine. It looks at what was written, so
 * that it is said together with everything else; what is of the wrong kind it passes over.
 */
export function relationMistakes(source: Source, folder: string): Mistake[] {
  const mistakes: Mistake[] = []
  const refuse: Refuse = (path, message, where = path) => {
    mistakes.push({ key: keyOf(path), where: source.whereIs(where), message })
  }
  const { tree } = source
  if (!isObject(tree)) return []
  secrets(tree, refuse)
  applications(tree, refuse)
  forwardAuth(tree, refuse)
  headers(tree, refuse)
  times(tree, refuse)
  ports(tree, refuse)
  tlsFiles(tree, folder, refuse)
  return mistakes
}

type Refuse = (path: Path, message: string, where?: Path) => void

function secrets(tree: unknown, refuse: Refuse): void {
  const provider = at(tree, ['provider'])
  if (isObject(provider) && at(provider, ['clientSecret']) === undefined) {
    refuse(
      ['provider', 'clientSecret'],
      'it is missing: write the secret that you registered at the provider, or name a file in clientSecretFile',
      ['provider'],
    )
  }
  if (at(tree, ['keys']) === undefined) {
    refuse(
      ['keys'],
      'it is missing: write a list with a secret of at least 32 bytes, such as `openssl rand -base64 32` prints, or name a file in keysFile',
    )
  }
}

function applications(tree: unknown, refuse: Refuse): void {
  const many = at(tree, ['applications'])
  const only = at(tree, ['upstream'])
  if (many !== undefined && only !== undefined) {
    refuse(['upstream'], 'applications are written too: put this one among them')
  }
  if (many === undefined && only === undefined && at(tree, ['forwardAuth']) === undefined) {
    refuse(
      ['upstream'],
      'it is missing: write where your application listens, such as http://127.0.0.1:5000, or a list of applications',
    )
  }
  const origin = at(tree, ['origin'])
  const upstreams: [Path, unknown][] = [
    [['upstream'], only],
    ...list(many).map((one, index): [Path, unknown] => [
      ['applications', index, 'upstream'],
      at(one, ['upstream']),
    ]),
  ]
  for (const [path, upstream] of upstreams) {
    if (typeof upstream === 'string' && upstream === origin) {
      refuse(
        path,
        'it is the gateway’s own public origin, to which it would send every request again: write where the application itself listens',
      )
    }
  }
  neighbours(list(many), refuse)
  accessTokens(tree, list(many), refuse)
}

/** A provider gives the sign-in's own token for the first resource that was asked for. */
function accessTokens(tree: unknown, all: readonly unknown[], refuse: Refuse): void {
  const asksForOne = all.findIndex((one) => at(one, ['accessToken', 'resource']) !== undefined)
  if (asksForOne < 0 || list(at(tree, ['resources'])).length > 0) return
  for (const [index, one] of all.entries()) {
    if (at(one, ['accessToken']) !== true) continue
    refuse(
      ['applications', index, 'accessToken'],
      `the sign-in asks for the resource of applications[${asksForOne}], so its own token would be for that one: write the resource that is meant here, or all of them in resources, the sign-in’s first`,
    )
  }
}

/** What the list says of one application against those before it. */
function neighbours(all: readonly unknown[], refuse: Refuse): void {
  for (const [index, one] of all.entries()) {
    const before = all.slice(0, index)
    const name = at(one, ['name'])
    if (typeof name === 'string' && before.some((other) => at(other, ['name']) === name)) {
      refuse(['applications', index, 'name'], 'another application has this name: write another')
    }
    const [host, path] = [at(one, ['host']), at(one, ['path']) ?? '/']
    const hiding = before.findIndex((other) => {
      const otherHost = at(other, ['host'])
      return (
        (otherHost === undefined || otherHost === host) && isBelow(path, at(other, ['path']) ?? '/')
      )
    })
    if (hiding >= 0) {
      refuse(
        ['applications', index],
        `no request ever gets here, since applications[${hiding}] takes all of them: put the narrower one first`,
      )
    }
    if (typeof path === 'string' && isBelow(path, '/auth')) {
      refuse(
        ['applications', index, 'path'],
        'paths at and below /auth are the gateway’s own: write another',
      )
    }
  }
}

function isBelow(path: unknown, other: unknown): boolean {
  if (typeof path !== 'string' || typeof other !== 'string') return false
  const above = other.replace(/\/$/, '')
  return path.replace(/\/$/, '') === above || path.startsWith(`${above}/`)
}

function forwardAuth(tree: unknown, refuse: Refuse): void {
  const given = at(tree, ['forwardAuth'])
  const path = typeof given === 'string' ? given : at(given, ['path'])
  const pathKey: Path = typeof given === 'string' ? ['forwardAuth'] : ['forwardAuth', 'path']
  if (path === '/' || isBelow(path, '/auth')) {
    refuse(pathKey, 'it is taken: write another path, such as /forward-auth')
  }
  if (given !== undefined && list(at(tree, ['listen', 'trustedProxies'])).length === 0) {
    refuse(
      ['forwardAuth'],
      'only trusted proxies get an answer there: write the addresses of the other proxy in listen.trustedProxies',
    )
  }
  const name = at(given, ['application'])
  const many = list(at(tree, ['applications']))
  const names = many.length > 0 ? many.map((one) => at(one, ['name'])) : [ONLY_NAME]
  const known = many.length > 0 || at(tree, ['upstream']) !== undefined
  if (typeof name === 'string' && known && !names.includes(name)) {
    refuse(
      ['forwardAuth', 'application'],
      `there is no application of this name: write ${names.map(String).join(' or ')}`,
    )
  }
  if (given !== undefined && name === undefined && !known) {
    refuse(
      ['forwardAuth', 'application'],
      'it is missing: write a name for what is behind the other proxy, the audience of its identity tokens',
      ['forwardAuth'],
    )
  }
}

function headers(tree: unknown, refuse: Refuse): void {
  const seen = new Map<string, string>()
  for (const [setting, initial] of Object.entries(HEADERS)) {
    const name = String(at(tree, ['headers', setting]) ?? initial).toLowerCase()
    const other = seen.get(name)
    if (other !== undefined) {
      refuse(['headers', setting], `headers.${other} has this name too: write another`)
    }
    if (RESERVED.includes(name)) {
      refuse(['headers', setting], 'this header means something else to HTTP: write another')
    }
    seen.set(name, setting)
  }
}

const HEADERS = {
  user: 'X-Forwarded-User',
  email: 'X-Forwarded-Email',
  preferredUsername: 'X-Forwarded-Preferred-Username',
  groups: 'X-Forwarded-Groups',
  identity: 'X-Coatcheck-Identity',
}

const RESERVED = [
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'forwarded',
  'host',
  'te',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]

function times(tree: unknown, refuse: Refuse): void {
  const lifetime = at(tree, ['session', 'lifetimeSeconds']) ?? 43_200
  for (const name of ['idleSeconds', 'revalidateSeconds']) {
    const value = at(tree, ['session', name])
    if (typeof value === 'number' && typeof lifetime === 'number' && value > lifetime) {
      refuse(
        ['session', name],
        'it is longer than session.lifetimeSeconds, so it never comes to it: write less',
      )
    }
  }
}

function ports(tree: unknown, refuse: Refuse): void {
  const listen = portOf(at(tree, ['listen'])) ?? 4180
  for (const name of ['operations', 'tokenEndpoint']) {
    const port = portOf(at(tree, [name]))
    if (port !== undefined && port !== 0 && port === listen) {
      refuse([name], 'listen has this port too: write another')
    }
  }
}

function portOf(address: unknown): number | undefined {
  const port = isObject(address) ? at(address, ['port']) : address
  if (typeof port === 'number') return port
  const written = typeof port === 'string' ? /(?:^|:)(\d+)$/.exec(port)?.[1] : undefined
  return written === undefined ? undefined : Number(written)
}

function tlsFiles(tree: unknown, folder: string, refuse: Refuse): void {
  for (const name of ['certificate', 'key']) {
    const file = at(tree, ['listen', 'tls', name])
    if (typeof file !== 'string' || file === '') continue
    try {
      accessSync(resolve(folder, file), constants.R_OK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      refuse(
        ['listen', 'tls', name],
        `the file cannot be read (${code}): name a PEM file that is there and that this user may read`,
      )
    }
  }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
