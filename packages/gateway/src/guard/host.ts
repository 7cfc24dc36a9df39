import type { Refusal } from '../server/answer.ts'
import type { Judged } from './guard.ts'

/** What a request is told whose host could be read in two ways, or is none. */
export function hostRefusal({ rawHeaders, headers }: Judged): Refusal | undefined {
  if (hasManyHosts(rawHeaders)) return MANY_HOSTS
  const { host } = headers
  return host === undefined || HOST.test(host) ? undefined : NO_HOST
}

/** Node takes the first, an upstream might take the last (RFC 9112 section 3.2). */
function hasManyHosts(rawHeaders: readonly string[] = []): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/**
 * A name or address, and maybe a port (RFC 9110 section 7.2). Of what a name may have in it by
 * RFC 3986 section 3.2.2, commas, quotes and the like are in no host that exists.
 */
const HOST = /^(?:[a-z\d._~%-]*|\[[a-z\d:.%_~-]+\])(?::\d*)?$/i

const MANY_HOSTS: Refusal = {
  status: 400,
  code: 'host_ambiguous',
  title: 'This request names more than one host',
}

const NO_HOST: Refusal = {
  status: 400,
  code: 'host_invalid',
  title: 'This request names a host that is none',
}
