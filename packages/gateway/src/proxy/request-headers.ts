import type { IncomingHttpHeaders } from 'node:http'
import type { ForgedHeaders } from '../guard/forged-headers.ts'
import type { Application } from './applications.ts'
import { withoutOurCookies } from './cookies.ts'

/** What an application is told beside what the browser sent. */
export interface Told {
  readonly application: Application
  /** Who is signed in; nothing where nobody is. */
  readonly identity: Readonly<Record<string, string>> | undefined
  /** For its `Authorization`. */
  readonly accessToken: string | undefined
  readonly client: Client
}

/** Where a request came from, as far as it is believed. */
export interface Client {
  readonly address: string
  /** For `X-Forwarded-For`: the client first, then the proxies between. */
  readonly chain: string
}

/** Names and values in turn. */
export type HeaderList = (string | string[])[]

/**
 * The headers an upstream gets: what came, without what only the gateway may say and what belongs
 * to the connection (RFC 9110 section 7.6.1), and who and where the request came from.
 */
export function requestHeaders(
  incoming: IncomingHttpHeaders,
  told: Told,
  scheme: string,
  isForged: ForgedHeaders,
): HeaderList {
  const { application, identity, accessToken, client } = told
  const { publicHost, upstream, stripped, configuration } = application
  // Over TLS the name is also what the certificate is checked for.
  const headers: HeaderList = ['host', upstream.protocol === 'https:' ? upstream.host : publicHost]
  const perConnection = connectionHeaders(incoming.connection)
  for (const name in incoming) {
    const value = name === 'cookie' ? withoutOurCookies(incoming.cookie ?? '') : incoming[name]
    if (value === undefined || DROPPED.has(name) || isForged(name)) continue
    if (perConnection?.has(name)) continue
    if (name === 'authorization' && configuration.accessToken !== undefined) continue
    headers.push(name, value)
  }
  headers.push('x-forwarded-for', client.chain)
  headers.push('x-real-ip', client.address)
  headers.push('x-forwarded-proto', scheme)
  headers.push('x-forwarded-host', publicHost)
  if (stripped !== '') headers.push('x-forwarded-prefix', stripped)
  if (accessToken !== undefined) headers.push('authorization', `Bearer ${accessToken}`)
  for (const name in identity) headers.push(name, identity[name] ?? '')
  return headers
}

/** Between two neighbours only, answered here, or said anew. */
const DROPPED = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
])

/** What the client wants dropped. It cannot drop what is added after that. */
function connectionHeaders(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined
  }
  const names = connection.toLowerCase().split(',')
  return new Set(names.map((name) => name.trim()).filter((name) => !NEEDED.has(name)))
}

/** The message itself hangs on these. */
const NEEDED = new Set(['host', 'content-length', 'content-type', 'content-encoding'])
