import type { ServerResponse } from 'node:http'
import type { Auth, Session } from '../auth.ts'
import { SignInRequired } from '../sign-in-required.ts'
import { guard, signInAnswer } from './guard.ts'
import { handOver } from './hand-over.ts'
import { type NodeRequest, targetOf, toRequest } from './incoming.ts'
import { sendResponse } from './outgoing.ts'
import { pathOf } from './target.ts'

export { type NodeRequest, toRequest } from './incoming.ts'
export { sendResponse } from './outgoing.ts'

/** Answers the requests that are coatcheck's: `true` where it did. Rejects only for misuse. */
export function nodeAuth(
  auth: Auth,
): (incoming: NodeRequest, outgoing: ServerResponse) => Promise<boolean> {
  return async (incoming, outgoing) => {
    if (!auth.owns(pathOf(targetOf(incoming)))) return false
    const request = (): Promise<Request> => toRequest(incoming, auth.origin, incoming.body)
    await sendResponse(await handOver(auth, request), outgoing)
    return true
  }
}

/** The session of a request, or `undefined` once it was answered: by sign-in, 401 or 503. */
export function requireSession(
  auth: Auth,
): (incoming: NodeRequest, outgoing: ServerResponse) => Promise<Session | undefined> {
  return async (incoming, outgoing) => {
    const found = await guard(auth, incoming, targetOf(incoming))
    if ('session' in found) {
      outgoing.setHeader('cache-control', 'no-store')
      return found.session
    }
    await sendResponse(found.answer, outgoing)
    return undefined
  }
}

/** Answers a {@link SignInRequired} that a handler threw as the guard would: `true` where it did. */
export function askToSignIn(
  auth: Auth,
): (error: unknown, incoming: NodeRequest, outgoing: ServerResponse) => Promise<boolean> {
  return async (error, incoming, outgoing) => {
    if (!(error instanceof SignInRequired) || outgoing.headersSent) return false
    await sendResponse(signInAnswer(auth, incoming, targetOf(incoming)), outgoing)
    return true
  }
}
