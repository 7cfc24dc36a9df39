/** Every code an {@link AuthError} can carry. */
export type AuthErrorCode =
  /** Nobody is signed in, or the provider wants to see the user. */
  | 'sign_in_required'
  /** The browser that came back is not the one that left, or it took too long. */
  | 'sign_in_unknown'
  /** This callback was answered before. */
  | 'sign_in_repeated'
  /** The provider answered the sign-in with an error; {@link ProviderError} has it. */
  | 'sign_in_refused'
  /** The user was signed out between the provider's answer and ours. */
  | 'signed_out_meanwhile'
  /** The answer names another issuer than the one that was asked (RFC 9207). */
  | 'issuer_mismatch'
  /** The ID token breaks a rule of OpenID Connect Core 3.1.3.7. */
  | 'id_token_invalid'
  /** The logout token breaks a rule of Back-Channel Logout 2.6. */
  | 'logout_token_invalid'
  /** The logout token is genuine and came after its end. */
  | 'logout_token_late'
  /** The UserInfo answer is not about the user of the ID token. */
  | 'userinfo_invalid'
  /** The provider could not be reached in time. */
  | 'provider_unreachable'
  /** The provider's metadata, keys or answer are not what the specifications say. */
  | 'provider_invalid'
  /** The provider refused a request; {@link ProviderError} has its answer. */
  | 'provider_refused'
  /** The store could not be reached, or could not do what was asked. */
  | 'store_unavailable'
  /** The store answers and can never work until somebody changes something: `message` says what. */
  | 'store_unusable'
  /** None of `keys` opens this store. */
  | 'keys_unknown'
  /** The request is malformed. */
  | 'request_invalid'
  /** The request body is larger than any that is expected here. */
  | 'request_too_large'
  /** The route answers other methods. */
  | 'method_not_allowed'
  /** The route expects a form. */
  | 'media_type_unsupported'
  /** A request that changes state came from another origin. */
  | 'cross_origin'
  /** `close()` was called. */
  | 'closed'

/** What went wrong, narrowed by `code`. `message` is for logs and holds no token material. */
export class AuthError extends Error {
  override readonly name: string = 'AuthError'
  readonly code: AuthErrorCode

  constructor(code: AuthErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The provider's own words, as they came over the wire (RFC 6749 section 5.2). */
export class ProviderError extends AuthError {
  override readonly name = 'ProviderError'
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined
  readonly error: string | undefined
  declare readonly error_description: string | undefined
  /** Milliseconds since the epoch before which the provider does not want to be asked again. */
  readonly retryAt: number | undefined

  constructor(
    code: AuthErrorCode,
    message: string,
    wire: {
      readonly status?: number | undefined
      readonly error?: string | undefined
      readonly error_description?: string | undefined
      readonly retryAt?: number | undefined
      readonly cause?: unknown
    } = {},
  ) {
    super(code, message, { cause: wire.cause })
    this.status = wire.status
    this.error = wire.error
    // A provider may repeat in it what it was sent: there on request, but not in a print of the error.
    Object.defineProperty(this, 'error_description', { value: wire.error_description })
    this.retryAt = wire.retryAt
  }
}
