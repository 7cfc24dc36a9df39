import type { TestProvider } from '#coatcheck/testing/provider/contract'

/** One answer of the token endpoint. */
export interface TokenAnswer {
  /** The code that all of this descends from: one per sign-in. */
  readonly code: string
  readonly grant: 'authorization_code' | 'refresh_token'
  readonly accessToken: string
  readonly refreshToken: string
}

/** What the provider gave for each sign-in, in its order. */
export interface Families {
  readonly answers: readonly TokenAnswer[]
  of(code: string): TokenAnswer[]
  /** What a refresh token descends from. */
  codeOf(refreshToken: string): string | undefined
  /** Where in {@link answers} an access token came. */
  placeOf(accessToken: string): number
}

/** Notes every token that this provider gives from now on. */
export function noteFamilies(provider: TestProvider): Families {
  const answers: TokenAnswer[] = []
  const codeOf = new Map<string, string>()

  provider.next(
    'token',
    ({ json, status }, request) => {
      if (request === undefined) return
      const { form, grant } = request
      if (status !== 200 || (grant !== 'authorization_code' && grant !== 'refresh_token')) return
      const code = form.get('code') ?? codeOf.get(form.get('refresh_token') ?? '') ?? ''
      const refreshToken = String(json['refresh_token'])
      codeOf.set(refreshToken, code)
      answers.push({ code, grant, accessToken: String(json['access_token']), refreshToken })
    },
    { times: Number.POSITIVE_INFINITY },
  )

  return {
    answers,
    codeOf: (refreshToken) => codeOf.get(refreshToken),
    of: (code) => answers.filter((answer) => answer.code === code),
    placeOf: (accessToken) => answers.findIndex((answer) => answer.accessToken === accessToken),
  }
}
