import { BlockList, isIP } from 'node:net'
import { z } from 'zod'

/**
 * A setting. `what` is its line in the schema and the manual; `fix` says what to write, and is all
 * that a mistake in it is answered with: its value may be a secret and is never repeated.
 */
export interface About {
  readonly what: string
  readonly fix: string
}

/** A text that `fits`. */
export function text({ what, fix }: About, fits: (value: string) => boolean): z.ZodType<string> {
  return z.string(fix).refine(fits, fix).meta({ description: what })
}

/** A whole number from `least` to `most`. */
export function whole(
  { what, fix }: About,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): z.ZodType<number> {
  return z.number(fix).int(fix).min(least, fix).max(most, fix).meta({ description: what })
}

/** A number above zero, such as of seconds. */
export function positive({ what, fix }: About): z.ZodType<number> {
  return z.number(fix).positive(fix).meta({ description: what })
}

/** A setting that may stay away; then it is `undefined`. */
export function maybe<T>(kind: z.ZodType<T>): z.ZodType<T | undefined> {
  return kind.optional().transform((value) => value)
}

/** An object of settings that all have defaults: nothing of it need be written. */
export function allDefaults<T>(section: z.ZodType<T>): z.ZodType<T> {
  return section.prefault({})
}

/** Anything but nothing. */
export function isFilled(value: string): boolean {
  return value.trim() !== ''
}

/** `http(s)://host[:port]`, with or without the slash at its end. */
export function isHttpOrigin(value: string): boolean {
  const url = httpUrl(value)
  return url !== undefined && [url.origin, `${url.origin}/`].includes(value)
}

/** An http or https URL without user, password and fragment. */
export function isHttpUrl(value: string): boolean {
  const url = httpUrl(value)
  return url !== undefined && url.username === '' && url.password === '' && !value.includes('#')
}

/** Whether secrets may travel there: over https, or over http to this very machine. */
export function isTrustworthy(value: string): boolean {
  const url = httpUrl(value)
  return url !== undefined && (url.protocol === 'https:' || isLoopback(url.hostname))
}

/** Names of this very machine (RFC 6761 section 6.3), and its addresses. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    ['::1', '[::1]'].includes(host) ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
  )
}

/** The name of a file with a secret in it. It was read before anything else is looked at. */
export function fileOf(what: string): z.ZodType<string | undefined> {
  return maybe(text({ what, fix: 'write the path of a file' }, isFilled))
}

/** A path as a request has it: from the root, without empty or dotted segments, query or fragment. */
export function isPath(value: string): boolean {
  return value === '/' || /^(\/(?!\.\.?(\/|$))[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+\/?$/.test(value)
}

/** `host` or `host:port`, in lower case, as in the Host header. */
export function isHost(value: string): boolean {
  return /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(:\d{1,5})?$/.test(value)
}

/** A name of an HTTP header (RFC 9110 section 5.1). */
export function isHeaderName(value: string): boolean {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(value)
}

/** An address, or a range of them as `10.0.0.0/8`. */
export function isAddressOrRange(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  if (prefix === undefined) return true
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) return false
  new BlockList().addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6')
  return true
}

function httpUrl(value: string): URL | undefined {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return undefined
  return new URL(value)
}
