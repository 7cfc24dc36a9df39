export { type Environment, environment } from '../core/environment.ts'
export {
  type AdapterSetup,
  type RunningApplication,
  type StartApplication,
  testAdapter,
} from './adapter.ts'
export type { Cookie } from './browser/cookies.ts'
export { type PageForm, readForm } from './browser/html.ts'
export {
  type Page,
  startBrowser,
  type TestBrowser,
  type TestBrowserOptions,
  type Visit,
  type VisitOptions,
} from './browser.ts'
export { loopbackFetch } from './loopback.ts'
export type { ClientRegistration, ProviderClient } from './provider/clients.ts'
export type { TestProvider, TestProviderOptions } from './provider/contract.ts'
export type { Answer, EndpointName, ProviderRequest, WireFault } from './provider/exchange.ts'
export type { HeldRequest, Hold, HoldOptions } from './provider/holds.ts'
export {
  breakSignature,
  readClaims,
  type TokenClaims,
  type TokenDraft,
  type TokenEncryption,
  type TokenHeader,
} from './provider/jwt.ts'
export { generateKey, type KeyKind, type ProviderKey, type ProviderKeys } from './provider/keys.ts'
export type { Issued, IssuedAccessToken, Reuse, Revocation } from './provider/ledger.ts'
export type { Delivery, LogoutTokenParts } from './provider/logout.ts'
export type { Change, Script, Scriptable, ScriptOptions } from './provider/scripts.ts'
export type { ProviderSession, ProviderUser } from './provider/sessions.ts'
export type { EditableMetadata, ProviderSettings } from './provider/state.ts'
export { startProvider } from './provider.ts'
export { fileContents } from './remains/files.ts'
export { lmdbContents, type ReadableLmdb, type ReadableLmdbTable } from './remains/lmdb.ts'
export { type PostgresContentsOptions, postgresContents } from './remains/postgres.ts'
export { redisContents } from './remains/redis.ts'
export {
  findRemains,
  type Looked,
  type RawContents,
  type RawEntry,
  type Remain,
  type Remains,
  type RemainsOptions,
  type SignedOut,
  type Undecided,
} from './remains.ts'
export { type OpenTokenStore, type RegisterTest, testTokenStore } from './token-store.ts'
