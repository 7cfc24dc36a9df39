import { AuthError, ProviderError } from '../../errors.ts'
import { causeCode } from '../cause-code.ts'
import type { Environment } from '../environment.ts'
import { readAtMost } from '../http/bounded.ts'
import { isTrustworthy } from '../http/trustworthy.ts'

/**
 * Asks the provider. `what` names the endpoint in messages; `limitMilliseconds` bounds the whole
 * exchange, body included. The answer has been read completely.
 *
 * Rejects with `provider_unreachable` where nothing came in time, and with `provider_invalid` for
 * a redirect, a body above 1 MiB, or a URL that is neither https nor on this machine.
 */
export type ProviderFetch = (
  what: string,
  url: string | URL,
  init: RequestInit,
  limitMilliseconds?: number,
) => Promise<Response>

const DEFAULT_LIMIT_MILLISECONDS = 5_000
const MAXIMUM_BODY_BYTES = 1024 * 1024

/** Why a request that has been answered is ended: without a reason an error is made, with a stack. */
const OVER = 'over'

/** The only way to the provider: every request is bounded in time and size. */
export function createProviderFetch(environment: Environment): ProviderFetch {
  return async (what, url, init, limitMilliseconds = DEFAULT_LIMIT_MILLISECONDS) => {
    if (!isTrustworthy(new URL(url))) {
      throw new AuthError('provider_invalid', `The ${what} is not an https URL.`)
    }
    const end = new AbortController()
    const tooLate = environment.wait(limitMilliseconds, end.signal).then((): never => {
      // Nobody listens any more: no error with a stack is made for each request.
      if (end.signal.aborted) return undefined as never
      throw unreachable(what, `no complete answer within ${limitMilliseconds} ms`)
    })
    const ask = async (): Promise<Response> => {
      const request = { ...init, redirect: 'manual', signal: end.signal } as const
      return buffered(what, await environment.fetch(url, request))
    }
    try {
      // Also against a `fetch` that does not listen to its signal.
      return await Promise.race([ask(), tooLate])
    } catch (error) {
      throw error instanceof AuthError ? error : unreachable(what, reasonOf(error), error)
    } finally {
      end.abort(OVER)
    }
  }
}

async function buffered(what: string, response: Response): Promise<Response> {
  const { status } = response
  if (response.type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    throw new ProviderError('provider_invalid', `The ${what} answered with a redirect.`, { status })
  }
  const body = await readAtMost(MAXIMUM_BODY_BYTES, response.body ?? [])
  if (body === undefined) {
    throw new ProviderError('provider_invalid', `The ${what} answered with more than 1 MiB.`, {
      status,
    })
  }
  return new Response(body.length === 0 ? null : body, { status, headers: response.headers })
}

function unreachable(what: string, reason: string, cause?: unknown): ProviderError {
  return new ProviderError('provider_unreachable', `The ${what} could not be reached: ${reason}`, {
    cause,
  })
}

/** `fetch` says "fetch failed" and keeps the reason, such as ECONNREFUSED, in the cause. */
function reasonOf(error: unknown): string {
  return causeCode(error) ?? (error instanceof Error ? error.name : 'unknown')
}
