import type { OidcContext } from 'oidc-provider'
import { html, page } from './pages.ts'
import { applicationsOf, providerSite } from './provider-pages.ts'

/** Asks before it ends the provider's session: an application that sent the browser may not know. */
export async function confirmSignOut(context: OidcContext, form: string): Promise<void> {
  const { provider, session } = context.oidc
  const applications = await applicationsOf(provider, session)
  context.body = page(
    providerSite,
    'Sign out?',
    html`<section>
      <h1>Sign out everywhere?</h1>
      <p>You are signed in to ${applications.join(' and ')}. All of them will be told.</p>
      ${{ html: form }}
      <div class="row">
        <button class="main" form="op.logoutForm" name="logout" value="yes">Yes, sign out</button>
        <button form="op.logoutForm">No, stay signed in</button>
      </div>
    </section>`,
  )
}

/** Where the browser ends that did not come from an application. */
export async function signedOut(context: OidcContext): Promise<void> {
  context.body = page(
    providerSite,
    'Signed out',
    html`<section><h1>You are signed out</h1><p>Here and in the applications.</p></section>`,
  )
}
