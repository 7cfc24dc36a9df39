import type { IncomingMessage } from 'node:http'
import { admit } from '../proxy/admit.ts'
import type { Application } from '../proxy/applications.ts'
import { type Answer, answerOf, type Refusal, redirectTo, toAnswer } from '../server/answer.ts'
import type { GatewayContext } from '../server/context.ts'
import type { Original } from './original.ts'

/**
 * What a proxy is told that asks about a request. 200 with the identity headers; otherwise 401
 * (nginx passes nothing else on), or a redirect to the sign-in for a proxy that hands the answer to
 * the browser (Traefik, Caddy, Envoy).
 */
export async function verdictOn(
  context: GatewayContext,
  application: Application,
  request: IncomingMessage,
  original: Original,
): Promise<Answer | Response> {
  const refusal = context.guard.refuse(original, application)
  if (refusal !== undefined) return toAnswer(refusal, original)
  const admitted = await admit(context, application, asRequest(request, original))
  if (!('answer' in admitted)) return allowed(context, admitted.told)
  const { answer } = admitted
  if (!(answer instanceof Response) || answer.status !== 303) return answer
  const location = answer.headers.get('location') ?? '/'
  const goesOn = original.handsOver && application.configuration.access !== 'api'
  return goesOn
    ? redirectTo(location, 302)
    : toAnswer({ ...SIGN_IN, headers: { location } }, original)
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
  return answerOf(200, '', {
    ...empty,
    ...identity,
    ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
  })
}

const SIGN_IN: Refusal = {
  status: 401,
  code: 'sign_in_required',
  title: 'Sign in to continue',
}
