import type { KeyObject } from 'node:crypto'
import type { AuthError } from '../../errors.ts'
import { openEncrypted } from './jwe.ts'
import type { ProviderKeys, TokenOrigin } from './keys.ts'
import type { ProviderOptions } from './options.ts'
import { signatureVerifies } from './signature.ts'
import { isJsonObject, parseJson } from './strict-json.ts'

/** Makes the error for a token that breaks a rule; the rule holds nothing of the token. */
export type Refuse = (rule: string) => AuthError

/** A token whose signature is the provider's. What it claims is not checked yet. */
export interface SignedToken {
  /** The signed token; the inner one where it came encrypted. */
  readonly value: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** What kind of token is expected. */
export interface TokenKind {
  readonly origin: TokenOrigin
  readonly maximumLength: number
  /** The `typ` values that are good, lower case and without `application/`. */
  readonly types: readonly string[]
  /** Whether `typ` may be missing. */
  readonly untyped: boolean
  readonly refuse: Refuse
}

/**
 * The one path by which a token of the provider is believed: ID tokens and logout tokens alike
 * (Back-Channel Logout 2.6). The token's header chooses nothing: not the algorithm, not where
 * keys come from, not what may be ignored.
 */
export type VerifySignature = (token: string, kind: TokenKind) => Promise<SignedToken>

const MAXIMUM_HEADER_BYTES = 4096
const MAXIMUM_KID = 1024
const UTF8 = new TextDecoder('utf-8', { fatal: true })
const BASE64URL = /^[A-Za-z0-9_-]+$/

/** Verifies with these keys and this one algorithm; with encryption registered, only encrypted tokens. */
export function createSignatureVerifier(
  algorithm: string,
  keys: ProviderKeys,
  encryption: ProviderOptions['idTokenEncryption'],
): VerifySignature {
  /** A provider writes the same header each time. */
  let last: { readonly part: string; readonly header: Record<string, unknown> } | undefined

  function headerIn(part: string, refuse: Refuse): Record<string, unknown> {
    if (last?.part !== part) last = { part, header: parsePart(part, 'header', refuse) }
    return last.header
  }

  return async (token, kind) => {
    const { refuse } = kind
    if (token.length > kind.maximumLength) throw refuse('it is too long')
    checkHeaderLength(token, refuse)
    const value = await signedPart(token, encryption, refuse)
    const [header, payload, signature, ...rest] = value.split('.')
    if (!isPart(header) || !isPart(payload) || signature === undefined || rest.length > 0) {
      throw refuse('it is not a signed token')
    }
    checkHeaderLength(value, refuse)
    const kid = checkHeader(headerIn(header, refuse), algorithm, kind)
    const signatureBytes = Buffer.from(signature, 'base64url')
    // One signature has one spelling: no padding, nothing in the bits that do not count.
    if (signature === '' || signatureBytes.toString('base64url') !== signature) {
      throw refuse('the signature is missing or malformed')
    }
    const claims = parsePart(payload, 'payload', refuse)

    const input = Buffer.from(`${header}.${payload}`)
    const verifies = (key: KeyObject): boolean =>
      signatureVerifies(algorithm, input, key, signatureBytes)
    const found = await keys.find(kid, kind.origin)
    if (found.length === 0 && kid !== undefined) throw refuse('no key of the provider has its kid')
    if (found.some(verifies)) return { value, claims }
    if (kid === undefined && (await keys.findAgain(kind.origin)).some(verifies))
      return { value, claims }
    throw refuse('the signature does not verify')
  }
}

function checkHeaderLength(token: string, refuse: Refuse): void {
  const length = token.indexOf('.')
  if (length > (MAXIMUM_HEADER_BYTES * 4) / 3) throw refuse('the header is too long')
}

async function signedPart(
  token: string,
  encryption: ProviderOptions['idTokenEncryption'],
  refuse: Refuse,
): Promise<string> {
  const encrypted = token.split('.', 6).length === 5
  if (encrypted && !encryption) throw refuse('it is encrypted, and no encryption is registered')
  if (!encrypted && encryption) throw refuse('it is not encrypted, and encryption is registered')
  return encryption ? openEncrypted(token, encryption, refuse) : token
}

/** Returns the `kid`. `jwk`, `jku`, `x5u` and `x5c` are not even read. */
function checkHeader(
  header: Record<string, unknown>,
  algorithm: string,
  { types, untyped, refuse }: TokenKind,
): string | undefined {
  if (header['alg'] !== algorithm) throw refuse(`alg is not ${algorithm}`)
  // No extension is understood here, and the payload is always encoded (RFC 7515 4.1.11, RFC 7797).
  if ('crit' in header || 'b64' in header) throw refuse('the header demands an extension')
  const { typ, kid } = header
  if (typ === undefined ? !untyped : !types.includes(plainType(typ))) throw refuse('typ is wrong')
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAXIMUM_KID)) {
    throw refuse('kid is malformed')
  }
  return kid
}

function plainType(typ: unknown): string {
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
}

function isPart(part: string | undefined): part is string {
  return part !== undefined && BASE64URL.test(part)
}

function parsePart(part: string, name: string, refuse: Refuse): Record<string, unknown> {
  try {
    const text = UTF8.decode(Buffer.from(part, 'base64url'))
    const value = parseJson(text, 'refuse')
    if (isJsonObject(value)) return value
  } catch (error) {
    throw refuse(`the ${name} ${error instanceof SyntaxError ? error.message : 'is not UTF-8'}`)
  }
  throw refuse(`the ${name} is not a JSON object`)
}
