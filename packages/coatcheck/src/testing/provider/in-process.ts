import { type Answer, answerBytes, endlessBlock } from './exchange.ts'
import type { WireRequest } from './server.ts'

/** `fetch`, as far as a server-side client uses it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/**
 * A `fetch` that reaches the provider without a socket: with it, what happens depends on nothing
 * but promises, so that interleavings can be replayed. Other origins go to the real `fetch`.
 */
export function inProcessFetch(
  origin: string,
  handle: (request: WireRequest) => Promise<Answer>,
  listening: () => boolean,
): Fetch {
  const reach: Fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input)
    if (url.origin !== origin) return fetch(input, init)
    if (!listening()) throw unreachable('ECONNREFUSED')
    const request = new Request(input, { ...init, signal: null })
    const body = await request.text()
    const { pathname, search } = url
    const asked = {
      method: request.method,
      target: pathname + search,
      headers: request.headers,
      body,
    }
    const answer = await orAborted(handle(asked), init?.signal)
    if (answer.wire === 'drop' || !listening()) throw unreachable('ECONNRESET')
    const response = responseOf(answer)
    const location = response.headers.get('location')
    if (location === null || response.status < 300 || init?.redirect === 'manual') return response
    if (init?.redirect === 'error') throw unreachable('unexpected redirect')
    return reach(new URL(location, url), { ...init, method: 'GET', body: null })
  }
  return reach
}

function orAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function responseOf(answer: Answer): Response {
  const headers = new Headers()
  for (const [name, values] of Object.entries(answer.headers)) {
    for (const value of [values].flat()) headers.append(name, value)
  }
  const empty = [204, 205, 304].includes(answer.status)
  return new Response(empty ? null : bodyOf(answer), { status: answer.status, headers })
}

function bodyOf(answer: Answer): BodyInit {
  const bytes = new Uint8Array(answerBytes(answer))
  switch (answer.wire) {
    case 'cut':
      return stream((send, fail) => {
        send(bytes.subarray(0, bytes.length / 2))
        fail(unreachable('ECONNRESET'))
      })
    case 'drip':
      // One byte, and silence: without a socket there is no time to let pass.
      return stream((send) => send(bytes.subarray(0, 1)))
    case 'endless':
      return new ReadableStream({ pull: (controller) => controller.enqueue(endlessBlock(bytes)) })
    default:
      return bytes
  }
}

function stream(
  start: (send: (bytes: Uint8Array) => void, fail: (error: Error) => void) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) =>
      start(
        (bytes) => controller.enqueue(bytes),
        (error) => controller.error(error),
      ),
  })
}

/** What Node's `fetch` throws. */
function unreachable(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) })
}
