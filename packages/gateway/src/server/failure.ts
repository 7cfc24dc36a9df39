import type { Refusal } from './answer.ts'

/**
 * What a client is told when nobody can say who is signed in, or no access token is to be had.
 * `undefined` for what nobody expects. The cookie stays as it is: nobody is signed out by mistake.
 */
export function authFailure(error: unknown): Refusal | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && Object.hasOwn(SHOWN, code) ? SHOWN[code] : undefined
}

/** A fault of ours. Details are in the log. */
export const FAULT: Refusal = { status: 500, code: 'fault', title: 'Something went wrong here' }

const AGAIN = { 'retry-after': '5' }
const NOT_NOW = 'This is not possible right now'

const SHOWN: Readonly<Record<string, Refusal>> = {
  store_unavailable: { status: 503, code: 'store_unavailable', title: NOT_NOW, headers: AGAIN },
  store_unusable: { status: 503, code: 'store_unusable', title: NOT_NOW, headers: AGAIN },
  keys_unknown: { status: 503, code: 'keys_unknown', title: NOT_NOW },
  closed: { status: 503, code: 'closed', title: 'The gateway is stopping', headers: AGAIN },
  provider_unreachable: {
    status: 503,
    code: 'provider_unreachable',
    title: 'The identity provider does not answer',
    headers: AGAIN,
  },
  provider_invalid: {
    status: 502,
    code: 'provider_invalid',
    title: 'The identity provider answered unexpectedly',
  },
  provider_refused: {
    status: 502,
    code: 'provider_refused',
    title: 'The identity provider refused',
  },
}
