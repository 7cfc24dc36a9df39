import type { OidcClient, OidcContext, Provider } from 'oidc-provider'

/** What the provider saw and did. Refresh tokens are called by number: the first issued is 1. */
export interface ProviderLog {
  readonly issued: readonly { readonly client: string; readonly account: string }[]
  readonly refreshes: readonly { readonly client: string; readonly status: number }[]
  readonly revocations: readonly {
    readonly client: string
    readonly kind: 'access_token' | 'refresh_token'
    /** The refresh token's number. */
    readonly number: number | undefined
    readonly status: number
  }[]
  readonly notices: readonly { readonly client: string; readonly status: number | string }[]
  /** For the script that plays an attacker with a copy: never shown. */
  refreshToken(number: number): string | undefined
  /** The last logout token that was sent to this address: never shown. */
  logoutToken(url: string): string | undefined
  /** Keeps what is about to be sent. */
  remember(url: string, form: URLSearchParams): void
}

/** Keeps the books of the provider, for the pages and the script of the demo. */
export function providerLog(provider: Provider): ProviderLog {
  const values: string[] = []
  const issued: { client: string; account: string }[] = []
  const refreshes: { client: string; status: number }[] = []
  const revocations: ProviderLog['revocations'][number][] = []
  const notices: ProviderLog['notices'][number][] = []
  const logoutTokens = new Map<string, string>()

  provider.use(async (context, next) => {
    await next()
    const { oidc } = context
    if (oidc?.route === 'token') {
      const client = oidc.client?.clientId ?? ''
      const { refresh_token: value } = (context.body ?? {}) as { refresh_token?: string }
      if (value !== undefined && !values.includes(value)) {
        values.push(value)
        issued.push({ client, account: accountOf(context) })
      }
      if (oidc.params['grant_type'] === 'refresh_token') {
        refreshes.push({ client, status: context.status })
      }
    }
    if (oidc?.route === 'revocation') {
      const number = values.indexOf(oidc.params['token'] ?? '') + 1
      revocations.push({
        client: oidc.client?.clientId ?? '',
        kind: number > 0 ? 'refresh_token' : 'access_token',
        number: number > 0 ? number : undefined,
        status: context.status,
      })
    }
  })
  provider.on('backchannel.success', (_: OidcContext, client: OidcClient) => {
    notices.push({ client: client.clientId, status: 200 })
  })
  provider.on('backchannel.error', (_: OidcContext, error: Error, client: OidcClient) => {
    notices.push({ client: client.clientId, status: error.message })
  })

  return {
    issued,
    refreshes,
    revocations,
    notices,
    refreshToken: (number) => values[number - 1],
    logoutToken: (url) => logoutTokens.get(url),
    remember(url, form) {
      const token = form.get('logout_token')
      if (token !== null) logoutTokens.set(url, token)
    },
  }
}

function accountOf(context: OidcContext): string {
  const { entities } = context.oidc as { entities?: { Account?: { accountId?: string } } }
  return entities?.Account?.accountId ?? ''
}
