import type { ErrorRequestHandler, Request, RequestHandler } from 'express'
import type { Auth, Session } from '../auth.ts'
import { SignInRequired } from '../sign-in-required.ts'
import { guard, signInAnswer } from './guard.ts'
import { handOver } from './hand-over.ts'
import { toRequest } from './incoming.ts'
import { sendResponse } from './outgoing.ts'
import { pathOf } from './target.ts'

/** Serves coatcheck's routes from an Express application (4 or 5), wherever it is mounted. */
export function expressAuth(auth: Auth): RequestHandler {
  return (incoming, outgoing, next) => {
    if (!auth.owns(pathOf(incoming.originalUrl))) return next()
    handOver(auth, () => toRequest(incoming, auth.origin, incoming.body))
      .then((response) => sendResponse(response, outgoing))
      .catch(next)
  }
}

/**
 * Lets signed-in users through, as `res.locals.session`. Others: a page goes to sign-in and comes
 * back, any other request gets 401; and 503 while the store is out of reach.
 */
export function requireSession(
  auth: Auth,
): RequestHandler<Request['params'], unknown, unknown, Request['query'], { session: Session }> {
  return (incoming, outgoing, next) => {
    guard(auth, incoming, incoming.originalUrl)
      .then((found) => {
        if ('answer' in found) return sendResponse(found.answer, outgoing)
        // Before the handler, which may decide otherwise.
        outgoing.setHeader('cache-control', 'no-store')
        outgoing.locals.session = found.session
        return next()
      })
      .catch(next)
  }
}

/** Error middleware: answers a {@link SignInRequired} of `auth.accessToken` as the guard would. */
export function askToSignIn(auth: Auth): ErrorRequestHandler {
  return (error, incoming, outgoing, next) => {
    if (!(error instanceof SignInRequired) || outgoing.headersSent) return next(error)
    sendResponse(signInAnswer(auth, incoming, incoming.originalUrl), outgoing).catch(next)
  }
}
