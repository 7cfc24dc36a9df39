import type { Context, ErrorHandler, HonoRequest, MiddlewareHandler } from 'hono'
import type { Auth, Session } from '../auth.ts'
import { readBody, refuseDeclared } from '../core/http/body.ts'
import { SignInRequired } from '../sign-in-required.ts'
import { guard, signInAnswer } from './guard.ts'
import { handOver, refuseMethod } from './hand-over.ts'
import { originForm, pathOf } from './target.ts'
import { unparse } from './unparse.ts'

/**
 * Serves coatcheck's routes from a Hono application. Mount it first: Hono's `secureHeaders` writes
 * when an answer comes back through it, and would keep the provider's frame out.
 */
export function honoAuth(auth: Auth): MiddlewareHandler {
  return ({ req }, next) => {
    if (!auth.owns(pathOf(req.url))) return next() as Promise<undefined>
    return handOver(auth, () => toRequest(req, auth.origin))
  }
}

/**
 * Lets signed-in users through, as `c.get('session')`. Others: a page goes to sign-in and comes
 * back, any other request gets 401; and 503 while the store is out of reach.
 */
export function requireSession(auth: Auth): MiddlewareHandler<{ Variables: { session: Session } }> {
  return async (context, next) => {
    const found = await guard(auth, context.req.raw, context.req.url)
    if ('answer' in found) return found.answer
    context.set('session', found.session)
    // Prepared before the handler, which may decide otherwise: to add it afterwards costs a copy.
    context.header('cache-control', 'no-store')
    await next()
    // A `Response` that the handler built itself has none of the headers prepared before.
    if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store')
  }
}

/**
 * For `app.onError`: answers a {@link SignInRequired} of `auth.accessToken` as the guard would,
 * and leaves every other error to `otherwise`.
 */
export function askToSignIn(
  auth: Auth,
  otherwise: (error: Error, context: Context) => Response | Promise<Response>,
): ErrorHandler {
  return (error, context) =>
    error instanceof SignInRequired
      ? signInAnswer(auth, context.req.raw, context.req.url)
      : otherwise(error, context)
}

/** The request on the public origin: a proxy may stand between it and the URL that Hono sees. */
async function toRequest(req: HonoRequest, origin: string): Promise<Request> {
  const { method, headers } = req.raw
  refuseMethod(method)
  const url = origin + originForm(req.url)
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: await bodyOf(req) })
}

/** The body as it comes, or what an earlier middleware made Hono remember of it. */
async function bodyOf(req: HonoRequest): Promise<BodyInit | null> {
  const { raw, bodyCache } = req
  if (!raw.bodyUsed) {
    // Not even `raw.body` before that: it starts to read, and then nobody can skip the rest.
    refuseDeclared(raw.headers.get('content-length'))
    return raw.body && readBody(raw.body)
  }
  if (bodyCache.formData !== undefined) {
    const fields = [...(await req.formData())].map(([name, value]) => [name, String(value)])
    return unparse(new URLSearchParams(fields).toString()) ?? null
  }
  if (Object.keys(bodyCache).length > 0) {
    return unparse(new Uint8Array(await req.arrayBuffer())) ?? null
  }
  throw new TypeError(
    'The request body was read before coatcheck saw it: mount honoAuth before whatever reads it.',
  )
}
