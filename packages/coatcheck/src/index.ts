export type {
  AccessToken,
  AccessTokenOptions,
  Auth,
  AuthFetchInit,
  Coverage,
  CoverageLine,
  HasHeaders,
  Session,
  SessionSummary,
  SignOutSelector,
} from './auth.ts'
export type { ClientAuthentication, ProviderOptions } from './core/provider/options.ts'
export type * from './core/tokens/store.ts'
export { createAuth } from './create-auth.ts'
export { AuthError, type AuthErrorCode, ProviderError } from './errors.ts'
export type { AuthEvent, Named, SignOutCause, SignOutReceipt } from './events.ts'
export type { AuthOptions, Routes, SessionOptions } from './options.ts'
export type { Ended, EndedName, EndedSession, Place } from './places.ts'
export { SignInRequired } from './sign-in-required.ts'
