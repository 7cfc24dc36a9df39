import { AuthError } from '../errors.ts'
import type { Context } from './context.ts'
import { toFailure } from './http/failure.ts'
import { describeSession } from './session/describe.ts'
import { completeSignIn } from './sign-in/callback.ts'
import { startSignIn } from './sign-in/start.ts'
import { backChannelLogout } from './sign-out/back-channel.ts'
import { frontChannelLogout } from './sign-out/front-channel.ts'
import { signOutHere, signOutPage } from './sign-out/rp-initiated.ts'
import { showSignedOut } from './sign-out/signed-out.ts'

type Answer = (context: Context, request: Request) => Response | Promise<Response>

/** The paths of ours and who answers them. */
export interface Router {
  owns(path: string): boolean
  handle(request: Request): Promise<Response>
}

/** A router over the configured routes; a path is ours with and without a slash at its end. */
export function createRouter(context: Context): Router {
  const { routes } = context.configuration
  const table = new Map<string, Readonly<Record<string, Answer>>>([
    [routes.signIn, { GET: startSignIn }],
    [routes.callback, { GET: completeSignIn, POST: completeSignIn }],
    [routes.signOut, { GET: signOutPage, POST: signOutHere }],
    [routes.signedOut, { GET: showSignedOut }],
    [routes.backChannelLogout, { POST: backChannelLogout }],
    [routes.frontChannelLogout, { GET: frontChannelLogout }],
    [routes.session, { GET: describeSession }],
  ])
  // A provider does not follow redirects: a slash too many must not cost a sign-out.
  const find = (path: string) => table.get(withoutSlash(path))

  return {
    owns: (path) => find(path) !== undefined,

    async handle(request) {
      const methods = find(new URL(request.url).pathname)
      if (methods === undefined) return new Response(null, { status: 404 })
      // Not what every object has: `constructor` is a method's name, as far as HTTP cares.
      const answer = Object.hasOwn(methods, request.method) ? methods[request.method] : undefined
      if (answer === undefined) return notAllowed(methods)
      try {
        return await answer(context, request)
      } catch (error) {
        return fail(context, request, error)
      }
    },
  }
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

function notAllowed(methods: Readonly<Record<string, Answer>>): Response {
  const headers = { allow: Object.keys(methods).join(', '), 'cache-control': 'no-store' }
  return new Response(null, { status: 405, headers })
}

function fail(context: Context, request: Request, error: unknown): Response {
  // Anything else is a fault of ours: the framework's error handler shall see it.
  if (!(error instanceof AuthError)) throw error
  const { signIn, callback } = context.configuration.routes
  const path = withoutSlash(new URL(request.url).pathname)
  if (path === callback || path === signIn) {
    context.emit({ type: 'sign_in_failed', code: error.code, reason: error.message })
  }
  return toFailure(error, request, { signInPath: signIn })
}
