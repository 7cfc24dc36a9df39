import type { Refusal } from '../server/answer.ts'
import type { Judged } from './guard.ts'

/**
 * Refuses requests of which nobody knows where they end. Chunks are undone here; what else was done
 * to a body no upstream would know of, and HTTP/1.0 knows no chunks. Nothing that comes after on the
 * same connection is believed to be a request: Node goes on with what it has read, even after an
 * answer that closes.
 */
export function endlessBodies(): (request: Judged) => Refusal | undefined {
  const spoilt = new WeakSet<object>()
  return (request) => {
    const { socket } = request
    if (socket !== undefined && spoilt.has(socket)) return ENCODED
    const refusal = refusalOf(request)
    if (refusal !== undefined && socket !== undefined) spoilt.add(socket)
    return refusal
  }
}

function refusalOf({ headers, httpVersion = '1.1' }: Judged): Refusal | undefined {
  const encoding = headers['transfer-encoding']
  if (encoding === undefined) return undefined
  if (encoding.trim().toLowerCase() !== 'chunked') return ENCODED
  return httpVersion === '1.1' ? undefined : UNEXPECTED
}

/** RFC 9112 section 6.1. */
const ENCODED: Refusal = {
  status: 501,
  code: 'encoding_unknown',
  title: 'This encoding of a request is not understood here',
  headers: { connection: 'close' },
}

/** What passed it on may not have known of chunks: faulty framing (RFC 9112 section 6.1). */
const UNEXPECTED: Refusal = {
  status: 400,
  code: 'encoding_unexpected',
  title: 'A request of this version of HTTP has no encoding',
  headers: { connection: 'close' },
}
