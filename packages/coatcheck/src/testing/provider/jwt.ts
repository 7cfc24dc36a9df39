import { constants, createHmac, KeyObject, sign } from 'node:crypto'
import { CompactEncrypt } from 'jose'
import type { ProviderKey, ProviderKeys } from './keys.ts'

/** Header of a token; a member set to `undefined` is left out. */
export interface TokenHeader {
  alg?: unknown
  kid?: unknown
  typ?: unknown
  [name: string]: unknown
}

/** Claims of a token; a member set to `undefined` is left out. Any type, since tests lie. */
export interface TokenClaims {
  iss?: unknown
  sub?: unknown
  sid?: unknown
  aud?: unknown
  azp?: unknown
  exp?: unknown
  iat?: unknown
  nbf?: unknown
  jti?: unknown
  nonce?: unknown
  events?: unknown
  auth_time?: unknown
  acr?: unknown
  at_hash?: unknown
  [name: string]: unknown
}

/** A token before it is signed. */
export interface TokenDraft {
  header: TokenHeader
  claims: TokenClaims
  /** JSON text in place of the header, for what an object cannot say, such as a name twice. */
  headerText?: JsonText | undefined
  /** JSON text in place of the claims. */
  payloadText?: JsonText | undefined
  /** The algorithm really used, where the header is to lie about it. */
  alg?: string | undefined
  /** A key other than the provider's own for this algorithm; text or bytes for HS256. */
  key?: ProviderKey | KeyObject | string | Uint8Array | undefined
  /** Wraps the signed token (RFC 7516). */
  encrypt?: TokenEncryption | undefined
  /** Has the last word about what is sent, such as {@link breakSignature}. */
  rewrite?: ((jwt: string) => string) | undefined
}

/** Either the text itself, or a change to the text that would be sent. */
export type JsonText = string | ((json: string) => string)

/** How a token is encrypted to its client. */
export interface TokenEncryption {
  readonly key: KeyObject | CryptoKey | Uint8Array
  readonly alg: string
  readonly enc: string
  /** Further members of the protected header. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** A finished token. */
export interface SignedToken {
  /** What is sent. */
  readonly value: string
  /** What was signed: the same, unless it was encrypted or rewritten afterwards. */
  readonly signed: string
}

/** Signs a draft as it stands, however wrong it is. */
export async function signToken(
  draft: TokenDraft,
  keys: ProviderKeys,
  clientSecret: string | undefined,
): Promise<SignedToken> {
  const alg = draft.alg ?? String(draft.header.alg)
  const key = draft.key ?? defaultKey(alg, keys, clientSecret)
  const header = jsonText(draft.headerText, draft.header)
  const input = `${base64url(header)}.${base64url(jsonText(draft.payloadText, draft.claims))}`
  const signed = `${input}.${signature(alg, input, key).toString('base64url')}`
  const token = draft.encrypt ? await encryptToken(signed, draft.encrypt) : signed
  return { signed, value: draft.rewrite ? draft.rewrite(token) : token }
}

/** The same token with one bit of its signature turned over. */
export function breakSignature(jwt: string): string {
  const [header, payload, signed] = jwt.split('.')
  const bytes = Buffer.from(signed ?? '', 'base64url')
  bytes[0] = (bytes[0] ?? 0) ^ 1
  return `${header}.${payload}.${bytes.toString('base64url')}`
}

/** The claims of a token, unverified. */
export function readClaims(jwt: string): TokenClaims {
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  return claims as TokenClaims
}

function defaultKey(
  alg: string,
  keys: ProviderKeys,
  secret: string | undefined,
): ProviderKey | string {
  if (alg.startsWith('HS') && secret !== undefined) return secret
  if (/^(ES|Ed)/.test(alg)) {
    const key = keys.find(alg)
    if (!key)
      throw new TypeError(`No key for ${alg}: write \`await provider.keys.add('EC')\` first`)
    return key
  }
  return keys.current
}

function signature(alg: string, input: string, key: NonNullable<TokenDraft['key']>): Buffer {
  const digest = `sha${/(256|384|512)$/.exec(alg)?.[1] ?? '256'}`
  if (/^none$/i.test(alg)) return Buffer.alloc(0)
  if (alg.startsWith('HS')) return createHmac(digest, secretOf(key)).update(input).digest()
  const data = Buffer.from(input)
  const privateKey = privateOf(key)
  switch (privateKey.asymmetricKeyType) {
    case 'ec':
      return sign(digest, data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    case 'ed25519':
      return sign(null, data, privateKey)
    default:
      return sign(digest, data, {
        key: privateKey,
        ...(alg.startsWith('PS')
          ? {
              padding: constants.RSA_PKCS1_PSS_PADDING,
              saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
            }
          : {}),
      })
  }
}

function secretOf(key: NonNullable<TokenDraft['key']>): string | Uint8Array {
  if (typeof key === 'string' || key instanceof Uint8Array) return key
  if (key instanceof KeyObject) return key.export({ format: 'pem', type: 'spki' }).toString()
  // The classic confusion: the public key, which everyone knows, taken for a secret.
  return key.publicKey.export({ format: 'pem', type: 'spki' }).toString()
}

function privateOf(key: NonNullable<TokenDraft['key']>): KeyObject {
  if (key instanceof KeyObject) return key
  if (typeof key === 'object' && 'privateKey' in key) return key.privateKey
  throw new TypeError('Text and bytes are keys for HS256, HS384 and HS512 only')
}

function encryptToken(jwt: string, { key, alg, enc, header }: TokenEncryption): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(jwt))
    .setProtectedHeader({ alg, enc, cty: 'JWT', ...header })
    .encrypt(key)
}

function jsonText(text: JsonText | undefined, value: object): string {
  if (typeof text === 'string') return text
  return text ? text(JSON.stringify(value)) : JSON.stringify(value)
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
