import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { type Dispatcher, errors } from 'undici'

/** An upstream's answer whose headers are there, and that nobody has passed on yet. */
export interface Relay {
  /** Passes it on. The head goes with the first of the body, or at once where it may be long in coming. */
  begin(status: number, headers: OutgoingHeaders, atOnce: boolean): void
  /** Takes the request back from the upstream. */
  destroy(): void
}

/** Headers of an answer to a client. */
export type OutgoingHeaders = Readonly<Record<string, string | string[]>>

/** An upstream's answer in the shape that reply-from takes: its body is for nobody but us. */
export interface Heard {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  readonly body: Relay
}

/** Whoever waits for an upstream's answer. */
export interface Waiting {
  /** Its client. */
  readonly answer: ServerResponse
  /** Once: the head of the upstream's answer, or why there is none. */
  readonly heard: (error: unknown, heard?: Heard) => void
  /** The upstream broke off, and the client has nothing of its answer yet. */
  readonly broken: (error: unknown) => void
}

/**
 * Passes the bytes of an upstream's answer on as they come: a stream between the two sockets, and
 * the watching of both its ends, would cost more than all the gateway does. Whoever is slow has the
 * upstream wait. What a client does not wait for any longer is taken back from the upstream, also
 * before there is an answer; an upstream that breaks off does not look finished.
 */
export function relay({ answer, heard, broken }: Waiting): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined
  let isHeard = false
  let isBegun = false
  let isOver = false
  let head: { readonly status: number; readonly headers: OutgoingHeaders } | undefined

  function destroy(): void {
    if (!isOver) controller?.abort(new errors.RequestAbortedError())
  }

  function writeHead(): void {
    if (head === undefined) return
    answer.writeHead(head.status, head.headers as Record<string, string | string[]>)
    head = undefined
  }

  function begin(status: number, headers: OutgoingHeaders, atOnce: boolean): void {
    isBegun = true
    head = { status, headers }
    if (!atOnce) return
    writeHead()
    answer.flushHeaders()
  }

  // One that was read to its end is closed too: then there is nothing to take back.
  answer.on('close', destroy)

  return {
    onRequestStart(given) {
      controller = given
      if (answer.destroyed) destroy()
    },

    onResponseStart(_, statusCode, headers) {
      // Word from an upstream that is not its answer yet.
      if (statusCode < 200) return
      isHeard = true
      heard(null, { statusCode, headers, body: { begin, destroy } })
    },

    onResponseData(given, chunk) {
      if (!isBegun || answer.destroyed) return
      writeHead()
      if (answer.write(chunk)) return
      given.pause()
      answer.once('drain', () => given.resume())
    },

    onResponseEnd() {
      isOver = true
      if (!isBegun || answer.destroyed) return
      writeHead()
      answer.end()
    },

    onResponseError(_, error) {
      isOver = true
      if (!isHeard) queueMicrotask(() => heard(error))
      else if (!isBegun || answer.destroyed) return
      else if (answer.headersSent) answer.destroy()
      else broken(error)
    },
  }
}
