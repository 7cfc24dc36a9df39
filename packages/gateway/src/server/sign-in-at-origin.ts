import type { IncomingMessage } from 'node:http'
import { type Answer, redirectTo } from './answer.ts'
import type { GatewayContext } from './context.ts'

/**
 * Sends a sign-in that is begun under another name of this machine to the origin, before anything
 * else: its cookie would be of that name, and the provider sends everybody back to the origin.
 * `undefined` where it may begin here.
 */
export function signInAtOrigin(
  { auth, configuration, proxies }: Pick<GatewayContext, 'auth' | 'configuration' | 'proxies'>,
  request: IncomingMessage,
  path: string,
): Answer | undefined {
  if (path !== auth.signInPath() || !READS.has(request.method ?? '')) return undefined
  const origin = new URL(configuration.origin)
  const host = hostOf(request, proxies.trusts(request))
  // Cookies know no ports, and load balancers have their own.
  if (host === undefined || host === origin.hostname) return undefined
  const [, query = ''] = (request.url ?? '').split(/\?(.*)/s)
  const parameters = new URLSearchParams(query)
  // A load balancer that names us as it likes does so at the origin, too.
  if (parameters.has(SENT)) return undefined
  parameters.set(SENT, '')
  return redirectTo(`${origin.origin}${path}?${parameters}`, 303)
}

const READS = new Set(['GET', 'HEAD'])

/** Tells who was sent to the origin once. The library looks at no parameter that it does not know. */
const SENT = 'at_origin'

/** The name that the browser has for us, without a port; a trusted proxy knows it better than we. */
function hostOf({ headers }: IncomingMessage, isProxyTrusted: boolean): string | undefined {
  const forwarded = isProxyTrusted ? headers['x-forwarded-host'] : undefined
  const [host = ''] = [forwarded ?? headers.host ?? ''].flat().join(',').split(',')
  const url = `http://${host.trim()}`
  return host.trim() !== '' && URL.canParse(url) ? new URL(url).hostname : undefined
}
