import type { OidcContext, Provider } from 'oidc-provider'
import { html, page } from './pages.ts'
import { providerSite } from './provider-pages.ts'

/**
 * OpenID Connect Front-Channel Logout 1.0, the provider's side, which oidc-provider lacks: `sid` in
 * the ID tokens of clients that asked for it, and after a sign-out a page with one iframe for each
 * of them before the browser goes on.
 */
export function addFrontChannel(provider: Provider, issuer: string): void {
  const { prototype } = provider.Client
  const includesSid = prototype.includeSid
  prototype.includeSid = function (this: typeof prototype): boolean {
    return (
      includesSid.call(this) || this.metadata()['frontchannel_logout_session_required'] === true
    )
  }

  provider.use(async (context, next) => {
    await next()
    const { oidc } = context
    if (oidc?.route !== 'end_session_confirm' || context.status !== 303) return
    if (oidc.params['logout'] === undefined) return
    const frames = await framesOf(provider, issuer, context)
    if (frames.length === 0) return

    const onward = context.response.get('location')
    context.response.remove('location')
    context.status = 200
    context.type = 'html'
    context.body = page(
      providerSite,
      'Signing out',
      html`<section>
        <h1>You are signed out here</h1>
        <p>These applications are being told, each in a frame of its own, without its cookies:</p>
        ${frames.map(({ name, url }) => html`<h3>${name}</h3><iframe title="${name}" src="${url}"></iframe>`)}
        <div class="row"><a class="button main" id="onward" href="${onward}">Continue</a></div>
        <noscript><meta http-equiv="refresh" content="3;url=${onward}"></noscript>
      </section>`,
      // Every frame has loaded by then; a person should have time to see them.
      `addEventListener('load', () => setTimeout(() => document.querySelector('#onward').click(), 2500))`,
    )
  })
}

interface Frame {
  readonly name: string
  readonly url: string
}

async function framesOf(
  provider: Provider,
  issuer: string,
  context: OidcContext,
): Promise<Frame[]> {
  const { session } = context.oidc
  const others = Object.keys(session.authorizations ?? {}).filter(
    // The application that sent the browser here has signed the user out before it did.
    (id) => id !== session.state?.clientId,
  )
  const frames: Frame[] = []
  for (const id of others) {
    const client = await provider.Client.find(id)
    const uri = client?.metadata()['frontchannel_logout_uri']
    if (client === undefined || typeof uri !== 'string') continue
    const url = new URL(uri)
    url.searchParams.set('iss', issuer)
    url.searchParams.set('sid', session.sidFor(id))
    frames.push({ name: client.clientName ?? id, url: url.href })
  }
  return frames
}
