import { DEFAULT_HOST, DEFAULT_PORT } from './addresses.ts'
import { FORWARD_PORT } from './applications.ts'
import type { Refuse } from './mistake.ts'
import { at } from './tree.ts'

/** Each listener has an address of its own, and the public one does not believe just anybody. */
export function listenerRelations(tree: unknown, refuse: Refuse): void {
  ports(tree, refuse)
  trustedProxies(tree, refuse)
}

function ports(tree: unknown, refuse: Refuse): void {
  const before: [string, Address][] = []
  for (const [name, port, fix] of LISTENERS) {
    const written = at(tree, [name])
    const address =
      written === undefined && name !== 'listen' ? undefined : addressOf(written, port)
    if (address === undefined) continue
    const other = before.find(([, one]) => meets(one, address))
    if (other !== undefined) refuse([name], `${other[0]} has this port too${fix}`)
    before.push([name, address])
  }
}

/** With the port that each has where none is written, and what to write. */
const LISTENERS: readonly (readonly [string, number | undefined, string])[] = [
  ['listen', DEFAULT_PORT, ': write another'],
  ['operations', undefined, ': write another'],
  ['tokenEndpoint', undefined, ': write another'],
  [
    'forwardAuth',
    FORWARD_PORT,
    ` (${FORWARD_PORT} unless you write one): write another in forwardAuth.port`,
  ],
]

interface Address {
  readonly host: unknown
  readonly port: unknown
}

function meets(one: Address, other: Address): boolean {
  if (one.port !== other.port || one.port === 0) return false
  return one.host === other.host || [one, other].some(({ host }) => ALL.includes(String(host)))
}

/** Every address of this machine. */
const ALL = ['0.0.0.0', '::', '[::]']

function addressOf(written: unknown, port: number | undefined): Address | undefined {
  if (typeof written === 'number') return { host: DEFAULT_HOST, port: written }
  if (typeof written === 'object' && written !== null) {
    const given = at(written, ['port']) ?? port
    return given === undefined
      ? undefined
      : { host: at(written, ['host']) ?? DEFAULT_HOST, port: given }
  }
  const [, host = DEFAULT_HOST, digits] =
    /^(?:(?!unix:)([^/]+):)?(\d{1,5})$/.exec(String(written ?? '')) ?? []
  if (digits !== undefined) return { host, port: Number(digits) }
  return port === undefined ? undefined : { host: DEFAULT_HOST, port }
}

function trustedProxies(tree: unknown, refuse: Refuse): void {
  const all = at(tree, ['listen', 'trustedProxies'])
  if (!Array.isArray(all)) return
  for (const [index, one] of all.entries()) {
    if (typeof one !== 'string' || !/\/0+$/.test(one)) continue
    refuse(
      ['listen', 'trustedProxies', index],
      'that is everybody, and whoever connects could say where a request came from: write the addresses of your proxies, such as 10.0.0.0/8',
    )
  }
}
