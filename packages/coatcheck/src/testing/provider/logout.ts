import { randomUUID } from 'node:crypto'
import type { ProviderClient } from './clients.ts'
import type { ProviderRequest } from './exchange.ts'
import { encryptionFor, header } from './issue.ts'
import { signToken, type TokenDraft } from './jwt.ts'
import type { ProviderSession } from './sessions.ts'
import { applyChanges, type ProviderState, seconds } from './state.ts'

/** The member of `events` that makes a token a logout token. */
export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** One logout token that was sent, and what the application answered. */
export interface Delivery {
  readonly clientId: string
  readonly url: string
  readonly token: string
  readonly status: number | undefined
  readonly headers: Headers | undefined
  readonly body: string | undefined
  /** Why there was no answer. */
  readonly error: unknown
}

/** What to say about a logout token; everything else is as it should be. */
export interface LogoutTokenParts extends Partial<TokenDraft> {
  /** Whom it is for. Default: the first client. */
  readonly client?: string
  /** Which session ends. Default: the newest. */
  readonly session?: Pick<ProviderSession, 'sub' | 'sid'>
}

/** Signs a logout token (Back-Channel Logout 2.4). */
export async function signLogoutToken(
  state: ProviderState,
  { client: clientId, session, ...parts }: LogoutTokenParts = {},
  request?: ProviderRequest,
): Promise<string> {
  const client = clientOf(state, clientId)
  const about = session ?? state.sessions.all.at(-1) ?? { sub: state.user.sub, sid: undefined }
  const iat = seconds(state)
  const draft: TokenDraft = {
    encrypt: await encryptionFor(client),
    ...parts,
    header: {
      ...header(state, client.id_token_signed_response_alg, 'logout+jwt'),
      ...parts.header,
    },
    claims: {
      iss: state.issuer,
      aud: client.client_id,
      iat,
      exp: iat + state.settings.logoutTokenSeconds,
      jti: randomUUID(),
      sub: about.sub,
      sid: client.backchannel_logout_session_required ? about.sid : undefined,
      events: { [logoutEvent]: {} },
      ...parts.claims,
    },
  }
  await applyChanges(state, 'logout_token', draft, request)
  const { value } = await signToken(draft, state.keys, client.client_secret)
  state.ledger.issued.push({
    kind: 'logout_token',
    value,
    clientId: client.client_id,
    sub: about.sub,
    sid: about.sid,
    at: state.now(),
  })
  return value
}

/** Posts a logout token as Back-Channel Logout 2.5 says. */
export function sendLogoutToken(
  state: ProviderState,
  url: string,
  token: string,
  init: { readonly headers?: Record<string, string> } = {},
): Promise<Response> {
  const form = new URLSearchParams({ logout_token: token, ...state.settings.logoutParameters })
  return state.fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...init.headers },
    body: form.toString(),
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
  })
}

/** Tells every application of a session that it ended, at the same time, once each. */
export async function notifyClients(
  state: ProviderState,
  session: ProviderSession,
  request?: ProviderRequest,
  claims: TokenDraft['claims'] = {},
): Promise<Delivery[]> {
  const clients = [...session.clients].map((id) => clientOf(state, id))
  return Promise.all(
    clients.flatMap((client) => {
      const url = client.backchannel_logout_uri
      if (url === undefined) return []
      const parts = { client: client.client_id, session, claims }
      return signLogoutToken(state, parts, request).then((token) =>
        deliver(state, client, url, token),
      )
    }),
  )
}

async function deliver(
  state: ProviderState,
  client: ProviderClient,
  url: string,
  token: string,
): Promise<Delivery> {
  const delivery = { clientId: client.client_id, url, token }
  const outcome: Delivery = await sendLogoutToken(state, url, token).then(
    async (response) => ({
      ...delivery,
      status: response.status,
      headers: response.headers,
      body: await response.text(),
      error: undefined,
    }),
    (error: unknown) => ({
      ...delivery,
      status: undefined,
      headers: undefined,
      body: undefined,
      error,
    }),
  )
  state.deliveries.push(outcome)
  return outcome
}

function clientOf(state: ProviderState, id: string | undefined): ProviderClient {
  const client = id === undefined ? state.clients.values().next().value : state.clients.get(id)
  if (!client) throw new TypeError(`No client ${id}: write \`provider.register({ client_id })\``)
  return client
}
