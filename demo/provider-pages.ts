import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Interaction, OidcSession, Provider } from 'oidc-provider'
import { html, page, type Site } from './pages.ts'

/** The demo's users. Nobody needs a password. */
export const people = [
  { id: 'alice', name: 'Alice' },
  { id: 'bob', name: 'Bob' },
] as const

export const providerSite: Site = {
  name: 'Provider',
  subtitle: 'where everybody has an account',
  hue: 250,
  narrow: true,
}

/** The provider with its own front page and sign-in page; all else is oidc-provider's. */
export function signInPages(provider: Provider, issuer: string): RequestListener {
  const protocol = provider.callback()

  return (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname
    const own =
      path === '/'
        ? frontPage(provider, request, response)
        : path.startsWith('/interaction/')
          ? interact(provider, request, response)
          : undefined
    if (own === undefined) return protocol(request, response)
    own.catch(() => send(response, 400, 'Start again', html`<p>This sign-in is over.</p>`))
  }
}

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response)
  if (interaction.prompt.name === 'consent') {
    const grantId = await consented(provider, interaction)
    return provider.interactionFinished(request, response, { consent: { grantId } })
  }
  if (request.method === 'POST') {
    const account = (await form(request)).get('account')
    if (people.some((person) => person.id === account)) {
      return provider.interactionFinished(request, response, { login: { accountId: account } })
    }
  }
  const client = await provider.Client.find(interaction.params['client_id'] ?? '')
  send(
    response,
    200,
    'Sign in',
    html`<section>
      <h1>Who are you?</h1>
      <p>${client?.clientName} wants you to sign in. Choose an account; there are no passwords here.</p>
      ${people.map(
        (person) => html`<form method="post" class="row">
          <button class="person" name="account" value="${person.id}">${person.name}</button>
        </form>`,
      )}
    </section>`,
  )
}

/** Consents to whatever is asked for: consent is not what this demo is about. */
async function consented(provider: Provider, interaction: Interaction): Promise<string> {
  const { details } = interaction.prompt
  const known = interaction.grantId && (await provider.Grant.find(interaction.grantId))
  const grant =
    known ||
    new provider.Grant({
      clientId: interaction.params['client_id'] ?? '',
      accountId: interaction.session?.accountId ?? '',
    })
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '))
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '))
  }
  return grant.save()
}

async function frontPage(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await provider.Session.get(provider.createContext(request, response))
  const applications = await applicationsOf(provider, session)
  const body =
    session.accountId === undefined
      ? html`<section><h1>Nobody is signed in here</h1>
          <p>Begin in one of the applications.</p></section>`
      : html`<section><h1>${session.accountId} is signed in here</h1>
          <p>Applications that know: ${applications.join(' and ')}.</p>
          <div class="row"><a class="button" href="/session/end">Sign out everywhere</a></div>
          </section>`
  send(response, 200, 'Account', body)
}

/** The names of the applications that a session of the provider signed in to. */
export async function applicationsOf(provider: Provider, session: OidcSession): Promise<string[]> {
  const ids = Object.keys(session.authorizations ?? {})
  const clients = await Promise.all(ids.map((id) => provider.Client.find(id)))
  return clients.map((client, at) => client?.clientName ?? ids[at] ?? '')
}

async function form(request: IncomingMessage): Promise<URLSearchParams> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > 1000) throw new Error('A form of this page is never that long.')
  }
  return new URLSearchParams(body)
}

function send(
  response: ServerResponse,
  status: number,
  title: string,
  body: ReturnType<typeof html>,
): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
  })
  response.end(page(providerSite, title, body))
}
