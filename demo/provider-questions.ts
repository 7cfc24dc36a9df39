import type { Registration } from './provider.ts'
import type { ProviderLog } from './provider-log.ts'

/** What somebody can ask the provider who copied refresh tokens and the applications' secrets. */
export interface ProviderQuestions {
  /** Token introspection (RFC 7662): is it still good for anything? */
  isActive(refreshToken: number): Promise<boolean>
  /** Tries to use it: the status and the error code, or `issued`. */
  spend(refreshToken: number): Promise<string>
}

export function providerQuestions(
  issuer: string,
  applications: readonly Registration[],
  log: ProviderLog,
): ProviderQuestions {
  async function post(
    path: string,
    number: number,
    form: Record<string, string>,
  ): Promise<Response> {
    const client = applications.find((one) => one.client_id === log.issued[number - 1]?.client)
    if (client === undefined) throw new Error(`The provider never issued refresh token ${number}.`)
    const credentials = Buffer.from(`${client.client_id}:${client.client_secret}`)
    return fetch(issuer + path, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials.toString('base64')}` },
      body: new URLSearchParams(form),
    })
  }

  return {
    async isActive(number) {
      const token = log.refreshToken(number) ?? ''
      const answer = await post('/token/introspection', number, { token })
      return ((await answer.json()) as { active: boolean }).active
    },
    async spend(number) {
      const refresh_token = log.refreshToken(number) ?? ''
      const form = { grant_type: 'refresh_token', refresh_token }
      const answer = await post('/token', number, form)
      const { error } = (await answer.json()) as { error?: string }
      return `${answer.status} ${error ?? 'issued'}`
    },
  }
}
