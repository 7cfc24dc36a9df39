import { createHash } from 'node:crypto'
import { authenticateClient } from './client-authentication.ts'
import type { ProviderClient } from './clients.ts'
import {
  type Answer,
  escapeHtml,
  jsonAnswer,
  type ProviderRequest,
  pageAnswer,
  redirectAnswer,
  refusal,
} from './exchange.ts'
import { type Family, opaque } from './ledger.ts'
import type { ProviderSession } from './sessions.ts'
import { applyChanges, type ProviderState, seconds } from './state.ts'

/** The authorization endpoint (Core 3.1.2). It never asks the user: whoever is set signs in. */
export async function authorizationEndpoint(
  state: ProviderState,
  request: ProviderRequest,
): Promise<Answer> {
  const sent = request.method === 'POST' ? request.form : request.query
  const parameters = requested(state, sent)
  if (!parameters) return pageAnswer('<h1>Unknown or used request_uri</h1>', 400)
  const client = state.clients.get(parameters.get('client_id') ?? '')
  if (!client) return pageAnswer('<h1>Unknown client</h1>', 400)
  const redirectUri = parameters.get('redirect_uri') ?? ''
  if (!accepts(client.redirect_uris, redirectUri))
    return pageAnswer('<h1>redirect_uri is not registered</h1>', 400)

  const respond = (response: Record<string, string>, session?: ProviderSession): Promise<Answer> =>
    answerBrowser(state, request, parameters, new URLSearchParams(response), session)
  const error = faultOf(state, parameters)
  if (error) return respond(error)
  const session = sessionFor(state, request, parameters)
  if (!session) return respond({ error: 'login_required' })
  session.clients.add(client.client_id)
  return respond({ code: issueCode(state, client, session, parameters, redirectUri) }, session)
}

/** The endpoint for pushed authorization requests (RFC 9126). */
export async function pushedRequestEndpoint(
  state: ProviderState,
  request: ProviderRequest,
): Promise<Answer> {
  if (request.method !== 'POST') return refusal(405, 'invalid_request', 'POST expected')
  const { client, refused } = await authenticateClient(state, request)
  if (refused) return refused
  const parameters = new URLSearchParams(request.form)
  if (parameters.has('request_uri'))
    return refusal(400, 'invalid_request', 'request_uri is not allowed here')
  for (const name of ['client_secret', 'client_assertion', 'client_assertion_type'])
    parameters.delete(name)
  parameters.set('client_id', client.client_id)
  if (!accepts(client.redirect_uris, parameters.get('redirect_uri') ?? ''))
    return refusal(400, 'invalid_request', 'redirect_uri is not registered')
  const error = faultOf(state, parameters)
  if (error) return jsonAnswer(error, 400)
  const request_uri = `urn:ietf:params:oauth:request_uri:${opaque('par')}`
  const expires_in = state.settings.requestUriSeconds
  state.pushed.set(request_uri, {
    clientId: client.client_id,
    parameters,
    expiresAt: state.now() + expires_in * 1000,
  })
  return jsonAnswer({ request_uri, expires_in }, 201)
}

/** Whether a URI is among those registered; none registered = any. */
export function accepts(registered: readonly string[], uri: string): boolean {
  return registered.length === 0 ? URL.canParse(uri) : registered.includes(uri)
}

/** What is asked, wherever it is written. A `request_uri` is used once. */
function requested(state: ProviderState, sent: URLSearchParams): URLSearchParams | undefined {
  const uri = sent.get('request_uri')
  if (uri === null)
    return state.metadata.require_pushed_authorization_requests === true ? undefined : sent
  const pushed = state.pushed.get(uri)
  state.pushed.delete(uri)
  if (!pushed || state.now() >= pushed.expiresAt) return undefined
  return pushed.clientId === sent.get('client_id') ? pushed.parameters : undefined
}

function faultOf(
  state: ProviderState,
  parameters: URLSearchParams,
): Record<string, string> | undefined {
  const invalid = (error_description: string): Record<string, string> => ({
    error: 'invalid_request',
    error_description,
  })
  const repeated = [...parameters.keys()].find(
    (name) => name !== 'resource' && parameters.getAll(name).length > 1,
  )
  if (repeated !== undefined) return invalid(`${repeated} is there twice`)
  if (parameters.get('response_type') !== 'code') return { error: 'unsupported_response_type' }
  if (!words(parameters.get('scope')).includes('openid'))
    return { error: 'invalid_scope', error_description: 'openid is missing' }
  if (!parameters.get('code_challenge') || parameters.get('code_challenge_method') !== 'S256')
    return invalid('PKCE with S256 expected')
  if (!['query', 'form_post'].includes(parameters.get('response_mode') ?? 'query'))
    return invalid('unknown response_mode')
  if (parameters.getAll('resource').some((uri) => !isResource(state, uri)))
    return { error: 'invalid_target' }
  return undefined
}

/** An absolute URI without fragment, of an API that is known (RFC 8707 section 2). */
export function isResource({ settings }: ProviderState, uri: string): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) return false
  return settings.resources?.includes(uri) ?? true
}

/** The words of a space-separated parameter. */
export function words(text: string | null): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '')
}

function sessionFor(
  state: ProviderState,
  request: ProviderRequest,
  parameters: URLSearchParams,
): ProviderSession | undefined {
  const current = state.sessions.byCookie(readCookie(request, state.cookieName))
  const hint = parameters.get('login_hint')
  const prompt = words(parameters.get('prompt'))
  const maxAge = parameters.get('max_age')
  const tooOld = maxAge !== null && current && seconds(state) - current.authTime > Number(maxAge)
  const usable = current && !tooOld && (hint === null || hint === current.sub)
  if (usable && !prompt.includes('login')) return current
  if (prompt.includes('none')) return undefined

  const who = hint ?? current?.sub ?? state.user.sub
  if (current && current.sub === who) {
    current.authTime = seconds(state)
    return current
  }
  const user = who === state.user.sub ? state.user : state.users.get(who)
  return state.sessions.open(user ?? { sub: who }, seconds(state))
}

function issueCode(
  state: ProviderState,
  client: ProviderClient,
  session: ProviderSession,
  parameters: URLSearchParams,
  redirectUri: string,
): string {
  const scope = words(parameters.get('scope'))
  const family: Family = {
    clientId: client.client_id,
    session,
    scope,
    resources: parameters.getAll('resource'),
    offline: scope.includes('offline_access'),
    nonce: parameters.get('nonce') ?? undefined,
    acr: words(parameters.get('acr_values'))[0],
    authTime: session.authTime,
    revoked: false,
  }
  const value = opaque('code')
  state.ledger.families.add(family)
  state.ledger.codes.set(value, {
    family,
    redirectUri,
    challenge: parameters.get('code_challenge') ?? undefined,
    expiresAt: state.now() + state.settings.codeSeconds * 1000,
    spent: false,
  })
  state.ledger.note('code', value, family)
  return value
}

async function answerBrowser(
  state: ProviderState,
  request: ProviderRequest,
  parameters: URLSearchParams,
  response: URLSearchParams,
  session: ProviderSession | undefined,
): Promise<Answer> {
  const { metadata } = state
  const asked = parameters.get('state')
  if (asked !== null) response.set('state', asked)
  if (metadata.authorization_response_iss_parameter_supported === true)
    response.set('iss', state.issuer)
  if (metadata.check_session_iframe !== undefined && session)
    response.set('session_state', sessionState(session))
  await applyChanges(state, 'authorization_response', response, request)

  const redirectUri = parameters.get('redirect_uri') ?? ''
  const answer =
    parameters.get('response_mode') === 'form_post'
      ? pageAnswer(autoSubmit(redirectUri, response))
      : redirectAnswer(withParameters(redirectUri, response))
  if (session) {
    answer.headers['set-cookie'] =
      `${state.cookieName}=${session.cookie}; Path=/; HttpOnly; SameSite=Lax`
  }
  return answer
}

/** The page of OAuth 2.0 Form Post Response Mode. */
function autoSubmit(action: string, fields: URLSearchParams): string {
  const inputs = [...fields].map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return (
    `<form method="post" action="${escapeHtml(action)}">${inputs.join('')}` +
    '<noscript><button>Continue</button></noscript></form>' +
    '<script>document.forms[0].submit()</script>'
  )
}

function withParameters(uri: string, parameters: URLSearchParams): URL {
  const url = new URL(uri)
  for (const [name, value] of parameters) url.searchParams.append(name, value)
  return url
}

function sessionState({ cookie, sid }: ProviderSession): string {
  return createHash('sha256').update(`${cookie} ${sid}`).digest('base64url')
}

/** The value of a cookie the browser sent. */
export function readCookie({ headers }: ProviderRequest, name: string): string | undefined {
  const pairs = (headers.get('cookie') ?? '').split(/; */)
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1)
}
