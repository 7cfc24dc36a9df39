import type { Vault } from './vault.ts'

/**
 * Whose a record is. Deployments that change their provider, and applications that share a store
 * and its keys, must neither see nor end, and above all never send to the wrong provider, what
 * belongs to another.
 */
export interface Home {
  readonly issuer: string
  readonly clientId: string
}

/** Whether two homes are one. */
export function sameHome(a: Home, b: Home): boolean {
  return a.issuer === b.issuer && a.clientId === b.clientId
}

/** What finds the sessions of one session of the provider. */
export function sidIndex(vault: Vault, { issuer, clientId }: Home, sid: string): string {
  return vault.index('sid', issuer, clientId, sid)
}

/** What finds all sessions of a user. */
export function subjectIndex(vault: Vault, { issuer, clientId }: Home, subject: string): string {
  return vault.index('subject', issuer, clientId, subject)
}

/** What finds those of them that no `sid` can name. */
export function subjectWithoutSidIndex(
  vault: Vault,
  { issuer, clientId }: Home,
  subject: string,
): string {
  return vault.index('subject_without_sid', issuer, clientId, subject)
}

/** What finds the sessions of one browser, and ends its sign-ins under way. */
export function browserIndex(vault: Vault, { issuer, clientId }: Home, browser: string): string {
  return vault.index('browser', issuer, clientId, browser)
}

/** What finds the sessions whose partition holds tokens of an account (`../session/partition.ts`). */
export function accountIndex(vault: Vault, { issuer, clientId }: Home, account: string): string {
  return vault.index('account', issuer, clientId, account)
}

/** What finds all owed work. */
export function owedIndex(vault: Vault, { issuer, clientId }: Home): string {
  return vault.index('owed', issuer, clientId)
}

/** The store id under which a processed logout token is remembered. */
export function logoutTokenId(vault: Vault, { issuer, clientId }: Home, jti: string): string {
  return `j.${vault.index('logout_token', issuer, clientId, jti)}`
}

/** What finds the refusal of sign-ins that were under way (`../sign-in/refusal.ts`). */
export function refusalIndex(vault: Vault, { issuer, clientId }: Home): string {
  return vault.index('refusal', issuer, clientId)
}
