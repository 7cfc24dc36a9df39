import { LONGEST_PLACE, placeName } from '../applications/place-name.ts'
import { LIBRARY_DEFAULTS } from '../library-defaults.ts'
import { lenientPath } from '../proxy/path.ts'
import { ONLY_NAME } from './applications.ts'
import { isHost, isPath } from './kinds.ts'
import type { Path, Refuse } from './mistake.ts'
import { at, list } from './tree.ts'

/** What applications must not be to one another, to the gateway, and to whoever asks for them. */
export function applicationRelations(tree: unknown, refuse: Refuse): void {
  applications(tree, refuse)
  forwardAuth(tree, refuse)
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
  places(list(many), refuse)
  hosts(origin, list(many), refuse)
  accessTokens(tree, list(many), refuse)
}

/** The session's cookie goes to the host that set it, and to no other; ports are all the same to it. */
function hosts(origin: unknown, all: readonly unknown[], refuse: Refuse): void {
  if (typeof origin !== 'string' || !URL.canParse(origin)) return
  const { hostname } = new URL(origin)
  for (const [index, one] of all.entries()) {
    const host = at(one, ['host'])
    if (typeof host !== 'string' || !isHost(host) || at(one, ['access']) === 'public') continue
    if (host.replace(/:\d+$/, '') === hostname) continue
    refuse(
      ['applications', index, 'host'],
      'the session’s cookie belongs to the host of origin, so that nobody would ever be signed in here: write a path below the origin instead of a host, or access: public, or run another gateway that has this host as its origin',
    )
  }
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
    const aboveBy = (read: (path: unknown) => unknown): number =>
      before.findIndex((other) => {
        const otherHost = at(other, ['host'])
        const isOfHost = otherHost === undefined || otherHost === host
        return isOfHost && isBelow(read(path), read(at(other, ['path']) ?? '/'))
      })
    const hiding = aboveBy((written) => written)
    const alike = aboveBy(leniently)
    if (hiding >= 0) {
      refuse(
        ['applications', index],
        `no request ever gets here, since applications[${hiding}] takes all of them: put the narrower one first`,
      )
    } else if (alike >= 0) {
      refuse(
        ['applications', index, 'path'],
        `a server that does not tell capital letters apart takes it for the path of applications[${alike}], so that every request for it gets 400: write another`,
      )
    }
    if (typeof path === 'string' && isBelow(path, LIBRARY_DEFAULTS.path)) {
      refuse(
        ['applications', index, 'path'],
        `paths at and below ${LIBRARY_DEFAULTS.path} are the gateway’s own: write another`,
      )
    }
  }
}

/** Receipts and what is owed know applications by a narrower kind of name. */
function places(all: readonly unknown[], refuse: Refuse): void {
  const seen = new Map<string, number>()
  for (const [index, one] of all.entries()) {
    const name = at(one, ['name'])
    if (typeof name !== 'string' || at(one, ['backchannelLogoutUri']) === undefined) continue
    const place = placeName(name)
    const other = seen.get(place)
    const key: Path = ['applications', index, 'name']
    if (name.length > LONGEST_PLACE) {
      refuse(
        key,
        `an application that is told of sign-outs has this name in receipts: write one of ${LONGEST_PLACE} characters at most`,
      )
    } else if (other !== undefined && at(all[other], ['name']) !== name) {
      refuse(
        key,
        `receipts of sign-outs could not tell it from applications[${other}] by its name: write one that differs in its letters or digits`,
      )
    }
    seen.set(place, other ?? index)
  }
}

/** As the proxy looks for requests that could be read in two ways. */
function leniently(path: unknown): unknown {
  return typeof path === 'string' && isPath(path) ? lenientPath(path) : undefined
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
  if (path === '/' || isBelow(path, LIBRARY_DEFAULTS.path)) {
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
