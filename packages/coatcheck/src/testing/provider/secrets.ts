import type { ProviderRequest } from './exchange.ts'
import type { ProviderState } from './state.ts'

/** Every value that must never be seen in a log: all handed out, and what clients sent. */
export function secretsOf(state: ProviderState, requests: readonly ProviderRequest[]): string[] {
  const sent = ['client_assertion', 'code_verifier', 'client_secret', 'state', 'nonce']
  const values = requests.flatMap(({ query, form, headers }) => [
    ...sent.flatMap((name) => [query.get(name), form.get(name)]),
    /^Basic (.+)$/i.exec(headers.get('authorization') ?? '')?.[1],
  ])
  const secrets = new Set([
    ...state.ledger.issued.map(({ value }) => value),
    ...[...state.clients.values()].map((client) => client.client_secret),
    ...state.sessions.all.map(({ cookie }) => cookie),
    ...values,
  ])
  return [...secrets].filter((secret): secret is string => Boolean(secret))
}
