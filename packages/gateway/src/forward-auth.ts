import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { admit } from './proxy/admit.ts'
import type { Application } from './proxy/applications.ts'
import { lenientPath, originForm, pathOf } from './proxy/path.ts'
import { type Answer, type Refusal, toAnswer } from './server/answer.ts'
import type { GatewayContext } from './server/context.ts'

/** Answers proxies that ask whether to let a request through. */
export interface ForwardAuth {
  /** Whether a path is the endpoint's: itself, or, for Envoy, what is asked for below it. */
  owns(path: string): boolean
  answer(request: IncomingMessage): Promise<Answer | Response>
}

/**
 * 200 with the identity headers; otherwise 401 (nginx passes nothing else on), or a redirect to the
 * sign-in for a proxy that hands the answer to the browser (Traefik, Caddy, Envoy). What was asked
 * for is believed of trusted proxies only, and nobody else gets an answer at all: it holds the
 * identity JWT, which a page's script must not read.
 */
export function forwardAuth(
  context: GatewayContext,
  path: string,
  application: Application,
): ForwardAuth {
  const { access } = application.configuration

  return {
    // A proxy that lets the world reach some paths may read one that leads upwards as one of these.
    owns: (asked) =>
      asked === path || (asked.startsWith(`${path}/`) && lenientPath(asked) !== undefined),

    async answer(request) {
      if (!context.proxies.trusts(request)) {
        context.logger.warn('forward_auth_untrusted', { fix: 'listen.trustedProxies' })
        return toAnswer(NOT_TRUSTED, request)
      }
      const original = originalOf(request, path)
      const refusal = context.guard.refuse(original, application)
      if (refusal !== undefined) return toAnswer(refusal, original)
      const admitted = await admit(context, application, asRequest(request, original))
      if (!('answer' in admitted)) return allowed(context, admitted.told)
      const { answer } = admitted
      if (!(answer instanceof Response) || answer.status !== 303) return answer
      if (original.handsOver && access !== 'api') return redirect(answer)
      return toAnswer({ ...SIGN_IN, headers: { location: locationOf(answer) } }, original)
    },
  }
}

interface Original {
  /** Nothing where the proxy does not say: it may have been any. */
  readonly method: string | undefined
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The proxy passes our answer on to the browser. */
  readonly handsOver: boolean
}

/**
 * What the browser asked the other proxy for, in the words of one proxy: what is there of another's
 * the browser may have sent itself. nginx asks by GET whatever it was asked by.
 */
function originalOf({ method, url = '/', headers }: IncomingMessage, path: string): Original {
  const one = (name: string): string | undefined => [headers[name]].flat()[0]
  const below = pathOf(url) === path ? undefined : url.slice(path.length)
  const said = [
    {
      target: one('x-original-uri') ?? one('x-original-url'),
      method: one('x-original-method'),
      handsOver: false,
    },
    { target: one('x-forwarded-uri'), method: one('x-forwarded-method'), handsOver: true },
    { target: below, method, handsOver: true },
  ].find(({ target }) => target !== undefined)
  return {
    method: said?.method,
    url: originForm(said?.target ?? '/'),
    headers,
    handsOver: said?.handsOver ?? false,
  }
}

/** The request as if it had come here: where to sign in hangs on these and on its headers. */
function asRequest(request: IncomingMessage, { method, url }: Original): IncomingMessage {
  return Object.create(request, { method: { value: method ?? 'GET' }, url: { value: url } })
}

function allowed(
  { configuration }: GatewayContext,
  { identity, accessToken }: { identity: object | undefined; accessToken: string | undefined },
): Answer {
  // Those without a value are there, too: a proxy that copies them overwrites what was forged.
  const empty = Object.fromEntries(Object.values(configuration.headers).map((name) => [name, '']))
  return {
    status: 200,
    headers: {
      ...empty,
      ...identity,
      ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
      'cache-control': 'no-store',
      'content-length': '0',
    },
    body: '',
  }
}

function redirect(answer: Response): Answer {
  const headers = {
    location: locationOf(answer),
    'cache-control': 'no-store',
    'content-length': '0',
  }
  return { status: 302, headers, body: '' }
}

function locationOf(answer: Response): string {
  return answer.headers.get('location') ?? '/'
}

const NOT_TRUSTED: Refusal = {
  status: 403,
  code: 'proxy_not_trusted',
  title: 'Only proxies that the gateway trusts may ask here',
}

const SIGN_IN: Refusal = {
  status: 401,
  code: 'sign_in_required',
  title: 'Sign in to continue',
}
