import { accepts, readCookie } from './authorization.ts'
import {
  type Answer,
  escapeHtml,
  type ProviderRequest,
  pageAnswer,
  redirectAnswer,
} from './exchange.ts'
import { type Delivery, notifyClients } from './logout.ts'
import type { ProviderSession } from './sessions.ts'
import { applyChanges, type ProviderState } from './state.ts'

/**
 * The end-session endpoint (RP-Initiated Logout 2). It tells the applications before it answers.
 * Without any parameter it is the provider's own sign-out page.
 */
export async function endSessionEndpoint(
  state: ProviderState,
  request: ProviderRequest,
): Promise<Answer> {
  const parameters = request.method === 'POST' ? request.form : request.query
  const hint = parameters.get('id_token_hint')
  const issued = hint === null ? undefined : state.ledger.idTokens.get(hint)
  if (hint !== null && !issued) return pageAnswer('<h1>id_token_hint is not ours</h1>', 400)
  const clientId = parameters.get('client_id') ?? issued?.clientId
  if (issued && issued.clientId !== clientId)
    return pageAnswer('<h1>client_id and id_token_hint do not fit</h1>', 400)
  const client = state.clients.get(clientId ?? '')
  const back = parameters.get('post_logout_redirect_uri')
  if (back !== null && !(client && accepts(client.post_logout_redirect_uris, back)))
    return pageAnswer('<h1>post_logout_redirect_uri is not registered</h1>', 400)

  const session = state.sessions.byCookie(readCookie(request, state.cookieName)) ?? issued?.session
  if (session) await endSession(state, session, request)
  const next = back === null ? undefined : new URL(back)
  if (next) {
    const asked = parameters.get('state')
    if (asked !== null) next.searchParams.set('state', asked)
    await applyChanges(state, 'sign_out_return', next, request)
  }
  const frames = session && state.settings.frontChannel ? frameUrls(state, session) : []
  const answer =
    frames.length > 0
      ? framesPage(frames, next)
      : next
        ? redirectAnswer(next)
        : pageAnswer('<h1>Signed out at the provider</h1>')
  answer.headers['set-cookie'] = `${state.cookieName}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0`
  return answer
}

/** Ends a session and what depends on it, and tells its applications unless that is turned off. */
export async function endSession(
  state: ProviderState,
  session: ProviderSession,
  request?: ProviderRequest,
): Promise<Delivery[]> {
  if (session.ended) return []
  session.ended = true
  for (const family of state.ledger.families) {
    if (family.session === session && !family.offline) family.revoked = true
  }
  return state.settings.backChannel ? notifyClients(state, session, request) : []
}

/** Ends all of a user, offline access included, with one logout token without `sid` per client. */
export async function endUser(state: ProviderState, sub: string): Promise<Delivery[]> {
  const clients = new Set<string>()
  for (const session of state.sessions.all) {
    if (session.sub !== sub) continue
    for (const client of session.clients) clients.add(client)
    session.ended = true
  }
  for (const family of state.ledger.families) {
    if (family.session.sub === sub) family.revoked = true
  }
  const newest = state.sessions.all.findLast((session) => session.sub === sub)
  if (!newest || !state.settings.backChannel) return []
  return notifyClients(state, { ...newest, clients }, undefined, { sid: undefined })
}

/** The iframes of Front-Channel Logout section 3, one per application that wants one. */
function frameUrls(state: ProviderState, session: ProviderSession): string[] {
  return [...session.clients].flatMap((id) => {
    const client = state.clients.get(id)
    const uri = client?.frontchannel_logout_uri
    if (!client || uri === undefined) return []
    if (!client.frontchannel_logout_session_required || session.sid === undefined) return [uri]
    const sid = state.settings.rawFrontChannelSid ? session.sid : encodeURIComponent(session.sid)
    const mark = uri.includes('?') ? '&' : '?'
    return [`${uri}${mark}iss=${encodeURIComponent(state.issuer)}&sid=${sid}`]
  })
}

/** Goes on when every iframe has loaded. `data-continue` tells clients without scripts where. */
function framesPage(frames: readonly string[], next: URL | undefined): Answer {
  const iframes = frames.map((url) => `<iframe src="${escapeHtml(url)}"></iframe>`)
  const onward = next ? ` data-continue="${escapeHtml(next.href)}"` : ''
  return pageAnswer(
    `<main${onward}><h1>Signing out</h1>${iframes.join('')}</main><script>
addEventListener('load', () => {
  const next = document.querySelector('main').dataset.continue
  if (next) location.assign(next)
})</script>`,
  )
}
