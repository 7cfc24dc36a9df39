import type { ServerResponse } from 'node:http'

/** Writes a `Response`, each cookie as a header of its own. */
export async function sendResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  // Without a body head and end go out in one write.
  const body = response.body === null ? undefined : new Uint8Array(await response.arrayBuffer())
  if (mayBeFramed(response)) {
    for (const name of FRAMING_HEADERS) outgoing.removeHeader(name)
  }
  outgoing.statusCode = response.status
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  }
  for (const cookie of response.headers.getSetCookie()) outgoing.appendHeader('set-cookie', cookie)
  const empty = outgoing.req.method === 'HEAD' || response.status === 204 || response.status === 304
  outgoing.end(empty ? undefined : body)
}

/** What middleware for the whole application may have set, and would keep a provider's frame out. */
const FRAMING_HEADERS = [
  'x-frame-options',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
]

/** Only front-channel logout names who may frame it; every other answer keeps what was set. */
function mayBeFramed(response: Response): boolean {
  const policy = response.headers.get('content-security-policy') ?? ''
  return /frame-ancestors (?!'none')/.test(policy)
}
