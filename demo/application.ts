import type { Auth, AuthOptions, HasHeaders, Session, TokenStore } from 'coatcheck'
import { createAuth } from 'coatcheck'
import { apiScope } from './api.ts'
import { applicationPage } from './application-page.ts'
import { type CacheView, cacheView, eventFeed } from './cache-view.ts'
import { lookingGlass } from './looking-glass.ts'
import type { Site } from './pages.ts'
import { panel } from './panel.ts'

/** What either application is told at its start. */
export interface ApplicationOptions {
  readonly site: Site
  readonly origin: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly keys: readonly string[]
  readonly resource: string
  readonly links: readonly { readonly name: string; readonly url: string }[]
  /** What the process is called on the pages. */
  readonly processName: string
  /** Where the panels of all its processes come from; the one of this process is `ownPanel`. */
  readonly panels: readonly string[]
  readonly ownPanel: number
}

/** What A and B have in common: all but the framework and the store. */
export interface Application {
  readonly auth: Auth
  /** The page, with the API's answer where there is one. */
  page(session: Session | undefined, answer?: ApiAnswer): Promise<string>
  panel(): Promise<string>
  cache(): Promise<CacheView>
  /** Calls the API as the signed-in user. Rejects with `SignInRequired` when nobody is any more. */
  call(request: HasHeaders, fresh: boolean): Promise<ApiAnswer>
}

/** What the downstream API answered. */
export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

export function application(options: ApplicationOptions, store: TokenStore): Application {
  const { resource } = options
  const feed = eventFeed()
  const auth = createAuth(authOptions(options, store, feed.observe))
  const glass = lookingGlass(store, options.keys)
  const cache = (): Promise<CacheView> =>
    cacheView({ name: options.processName, pid: process.pid }, auth, glass, feed)

  return {
    auth,
    cache,
    panel: async () => panel(await cache()).html,
    async page(session, answer) {
      const now = panel(await cache())
      return applicationPage({
        site: options.site,
        session,
        signInPath: auth.signInPath('/'),
        links: options.links,
        panels: options.panels.map((path, at) => ({
          path,
          now: at === options.ownPanel ? now : undefined,
        })),
        answeredBy: `${options.processName} (pid ${process.pid})`,
        answer,
      })
    },
    async call(request, fresh) {
      // Only for a person who wants to watch a refresh: `auth.fetch` refreshes where it must.
      if (fresh) await auth.accessToken(request, { resource, forceRefresh: true })
      const answer = await auth.fetch(request, resource, { resource })
      return { status: answer.status, body: (await answer.text()).trim() }
    },
  }
}

function authOptions(
  { origin, issuer, clientId, clientSecret, keys, resource }: ApplicationOptions,
  store: TokenStore,
  observe: NonNullable<AuthOptions['observe']>,
): AuthOptions {
  return {
    origin,
    provider: { issuer, clientId, clientSecret },
    store,
    keys,
    scope: `openid profile offline_access ${apiScope}`,
    resources: [resource],
    // This provider grants offline access only to those who ask the user (Core section 11).
    authorizationParameters: { prompt: 'consent' },
    observe,
  }
}
