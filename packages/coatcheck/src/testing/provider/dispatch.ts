import { type Arrivals, createArrivals } from './arrivals.ts'
import { authorizationEndpoint, pushedRequestEndpoint } from './authorization.ts'
import { endSessionEndpoint } from './end-session.ts'
import {
  type Answer,
  completeAnswer,
  type EndpointName,
  jsonAnswer,
  type ProviderRequest,
  refusal,
} from './exchange.ts'
import { createHolds, type Holds } from './holds.ts'
import type { EndpointPaths } from './metadata.ts'
import { revocationEndpoint, userInfoEndpoint } from './protected.ts'
import { type Change, createScripts, type Script, type Scripts } from './scripts.ts'
import type { WireRequest } from './server.ts'
import type { ProviderState } from './state.ts'
import { tokenEndpoint } from './token.ts'

/** Runs when a request has arrived, before the endpoint does anything about it. */
export type Before = (request: ProviderRequest) => unknown

/** The way of every request: recorded, held, answered, changed, held again. */
export interface Dispatch {
  readonly requests: Arrivals<ProviderRequest>
  readonly holds: Holds
  readonly before: Scripts<Before>
  readonly answers: Scripts<Script<Answer>>
  /** What scripts threw: mistakes of the test, to be told when the provider closes. */
  readonly errors: unknown[]
  handle(request: WireRequest): Promise<Answer>
}

/** Puts the endpoints behind their paths. */
export function createDispatch(state: ProviderState, paths: EndpointPaths): Dispatch {
  const requests = createArrivals<ProviderRequest>()
  const holds = createHolds()
  const before = createScripts<Before>()
  const answers = createScripts<Script<Answer>>()
  const errors: unknown[] = []

  const answer = async (request: ProviderRequest): Promise<Answer> => {
    const scripts = answers.take(request.endpoint, request.grant)
    const first = before.take(request.endpoint, request.grant)
    const instead = await holds.wait(request, 'request')
    if (instead) return instead
    for (const run of first) await run(request)
    const fixed = scripts.findLast((script) => typeof script !== 'function')
    const draft = fixed
      ? completeAnswer(fixed as Partial<Answer>)
      : await endpoints[request.endpoint](state, request)
    for (const script of scripts) {
      if (typeof script === 'function') await (script as Change<Answer>)(draft, request)
    }
    return (await holds.wait(request, 'answer')) ?? draft
  }

  return {
    requests,
    holds,
    before,
    answers,
    errors,
    handle: async (wire) => {
      const request = readRequest(state, paths, wire)
      requests.add(request)
      try {
        return await answer(request)
      } catch (error) {
        errors.push(error)
        return refusal(500, 'server_error', String(error))
      }
    },
  }
}

type Endpoint = (state: ProviderState, request: ProviderRequest) => Answer | Promise<Answer>

const endpoints: Record<EndpointName, Endpoint> = {
  discovery: ({ metadata }) => jsonAnswer({ ...metadata }),
  jwks: ({ keys }) => jsonAnswer(keys.jwks()),
  authorization: authorizationEndpoint,
  par: pushedRequestEndpoint,
  token: tokenEndpoint,
  userinfo: userInfoEndpoint,
  revocation: revocationEndpoint,
  end_session: endSessionEndpoint,
  unknown: () => refusal(404, 'not_found', 'nothing is here'),
}

function readRequest(
  state: ProviderState,
  paths: EndpointPaths,
  { method, target, headers, body }: WireRequest,
): ProviderRequest {
  const url = new URL(target, state.issuer)
  const isForm = /^application\/x-www-form-urlencoded/i.test(headers.get('content-type') ?? '')
  const form = new URLSearchParams(isForm ? body : '')
  return {
    endpoint: paths.get(url.pathname) ?? 'unknown',
    method,
    url: url.href,
    path: url.pathname,
    headers,
    query: url.searchParams,
    form,
    body,
    grant: form.get('grant_type') ?? undefined,
    at: state.now(),
  }
}
