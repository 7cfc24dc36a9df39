import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, isIPv6 } from 'node:net'
import type { Client } from '../proxy/request-headers.ts'

/** Whose word is believed about where a request came from. */
export interface TrustedProxies {
  /** Whether the neighbour that sent this request is one of ours. */
  trusts(request: IncomingMessage): boolean
  /** The client, by the last address in the chain that is not a trusted proxy. */
  clientOf(request: IncomingMessage): Client
}

/** Addresses and ranges such as `10.0.0.0/8` or `::1`. */
export function trustedProxies(ranges: readonly string[]): TrustedProxies {
  const list = toBlockList(ranges)
  const isTrusted = (address: string): boolean =>
    list !== undefined && isIP(address) !== 0 && list.check(address, familyOf(address))

  return {
    trusts: (request) => isTrusted(neighbourOf(request)),

    clientOf(request) {
      const neighbour = neighbourOf(request)
      const before = request.headers['x-forwarded-for']
      if (before === undefined || !isTrusted(neighbour)) {
        return { address: neighbour, chain: neighbour }
      }
      const addresses = [before]
        .flat()
        .join(',')
        .split(',')
        .map((one) => one.trim())
      const address = addresses.findLast((one) => !isTrusted(plainAddress(one)))
      const chain = [...addresses, neighbour].join(', ')
      return { address: plainAddress(address ?? addresses[0] ?? neighbour), chain }
    },
  }
}

/** A Unix socket has no address: whoever may open it is this machine. */
function neighbourOf({ socket }: IncomingMessage): string {
  return plainAddress(socket.remoteAddress ?? '127.0.0.1')
}

/** A socket of both families shows IPv4 addresses in IPv6's clothes. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function toBlockList(ranges: readonly string[]): BlockList | undefined {
  if (ranges.length === 0) return undefined
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    if (bits === undefined) list.addAddress(address, familyOf(address))
    else list.addSubnet(address, Number(bits), familyOf(address))
  }
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4'
}
