import type { IncomingMessage } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import type { Refusal } from '../server/answer.ts'

/** What a request with too long a body is told. What is left of it is not read. */
export const TOO_LARGE: Refusal = {
  status: 413,
  code: 'request_too_large',
  title: 'This is more than may be sent at once',
  headers: { connection: 'close' },
}

/** The code of the error by which a body ends that turned out to be too long. */
export const TOO_LARGE_CODE = 'COATCHECK_REQUEST_TOO_LARGE'

/** A body whose length was told is as long as that: Node sees to it. One in chunks is counted. */
export function countedBody(request: IncomingMessage, most: number): Readable {
  if (request.headers['content-length'] !== undefined) return request
  let bytes = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      if (bytes <= most) done(null, chunk)
      else done(Object.assign(new Error('The body is too long'), { code: TOO_LARGE_CODE }))
    },
  })
  request.once('error', (error) => counted.destroy(error))
  request.once('close', () => {
    if (!request.complete) counted.destroy(new Error('The body ended early'))
  })
  return request.pipe(counted)
}
