import { lookup } from 'node:dns/promises'
import { BlockList, isIPv6 } from 'node:net'
import type { GatewayConfiguration } from '../../configuration/configuration.ts'
import { isLoopback } from '../../configuration/kinds.ts'
import { LIBRARY_DEFAULTS } from '../../library-defaults.ts'
import { adviceFor } from '../advice.ts'
import { ask } from './ask.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** What was found out about the public origin. */
export interface OriginExamined {
  readonly findings: readonly Finding[]
  /** Whether a logout token that the provider posts can arrive; `undefined` where nobody can say. */
  readonly hears: boolean | undefined
}

/** Whether browsers and the provider come to this gateway by its origin. */
export async function examineOrigin(
  configuration: GatewayConfiguration,
  backChannelUri: string,
): Promise<OriginExamined> {
  const inner = settings(configuration)
  const [outside, arrival] = await Promise.all([
    fromOutside(configuration),
    arrivalOf(backChannelUri),
  ])
  const hears = outside?.level === 'problem' || arrival.level === 'problem' ? false : undefined
  return {
    findings: [...inner, ...(outside ? [outside] : []), arrival],
    hears: hears ?? (arrival.level === 'fine' ? true : undefined),
  }
}

/** Mistakes that can be seen without asking anybody. */
function settings({ origin, listen }: GatewayConfiguration): Finding[] {
  const url = new URL(origin)
  const findings: Finding[] = []
  if (url.protocol === 'http:' && listen.tls) {
    findings.push(
      problem(
        'origin',
        'The gateway listens with TLS, but its origin is http: write https, or the sign-in leads away from it.',
      ),
    )
  } else if (url.protocol === 'http:') {
    findings.push(
      warning(
        'origin',
        'Plain http is for development: the cookie is neither Secure nor bound to its host by __Host-.',
      ),
    )
  }
  if (url.protocol === 'https:' && !listen.tls && listen.trustedProxies.length === 0) {
    findings.push(
      warning(
        'listen.trustedProxies',
        'TLS must end at something before the gateway, and none is trusted: applications and logs see its address instead of the user’s. Write the addresses of your load balancer.',
      ),
    )
  }
  return findings
}

/** Whether a provider elsewhere could reach this origin at all. */
async function fromOutside({
  origin,
  provider,
}: GatewayConfiguration): Promise<Finding | undefined> {
  const [host, theirs] = [new URL(origin).hostname, new URL(provider.issuer).hostname]
  if (isLoopback(theirs)) return undefined
  const far = (why: string): Finding =>
    problem(
      'origin',
      `${host} ${why}, so that a provider on another machine cannot send it logout tokens: a sign-out elsewhere is not heard of by the back channel.`,
    )
  if (isLoopback(host)) return far('is this very machine')
  try {
    const [ours, others] = await Promise.all([addressesOf(host), addressesOf(theirs)])
    if (ours.every(isPrivate) && !others.every(isPrivate)) {
      return warning(
        'origin',
        `From here ${host} is a private address and the provider a public one: see to it that the provider can post logout tokens to it, and by the same name.`,
      )
    }
    return undefined
  } catch {
    return warning(
      'origin',
      `The name ${host} is not known here: see to it that browsers and the provider know it.`,
    )
  }
}

async function addressesOf(host: string): Promise<string[]> {
  return (await lookup(host.replace(/^\[|\]$/g, ''), { all: true })).map(({ address }) => address)
}

function isPrivate(address: string): boolean {
  const list = new BlockList()
  for (const [net, bits] of PRIVATE) list.addSubnet(net, bits, isIPv6(net) ? 'ipv6' : 'ipv4')
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** RFC 1918, RFC 6598, RFC 4193, and what is of one machine or one link. */
const PRIVATE: readonly (readonly [string, number])[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['::1', 128],
]

/** An empty form is refused by the back-channel route with 400, and by nothing else so. */
async function arrivalOf(uri: string): Promise<Finding> {
  const asked = await ask(uri, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  const about = 'back-channel logout'
  if ('failed' in asked) {
    return warning(
      about,
      `Nobody answers at ${uri} from here (${asked.failed}): ${adviceFor(asked.failed)}. Start the gateway and ask again; the provider must reach it by this name.`,
    )
  }
  const { status, headers } = asked.response
  if (status === 400 && /no-store/.test(headers.get('cache-control') ?? '')) {
    return fine(about, `A logout token posted to ${uri} arrives, from here at least.`)
  }
  return problem(
    about,
    `Something else answers at ${uri} (HTTP ${status}): let whatever stands before the gateway pass POST requests at and below ${LIBRARY_DEFAULTS.path} on as they are, without a sign-in of its own.`,
  )
}
