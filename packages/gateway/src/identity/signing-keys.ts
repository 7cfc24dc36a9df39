import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'

/** The keys a gateway signs with. Every gateway with the same secrets has the same ones. */
export interface SigningKeys {
  /** A compact JWS over these claims, by the first key. */
  sign(claims: Readonly<Record<string, unknown>>, type?: string): string
  /** The claims of a JWS that one of the keys signed with this `typ`; nothing is said of its time. */
  verify(jws: string, type: string): Readonly<Record<string, unknown>> | undefined
  /** The public keys as a JWK set, for `GET /.well-known/jwks.json`. */
  readonly jwks: string
}

/** Derives an ES256 key from each secret (RFC 5869). The first signs, all verify. */
export function signingKeys(secrets: readonly string[]): SigningKeys {
  const keys = secrets.map(deriveKey)
  const [first] = keys
  if (first === undefined) throw new TypeError('keys: write at least one secret of 32 bytes.')
  const headers = new Map<string, string>()

  function headerOf(type: string): string {
    const before = headers.get(type)
    if (before !== undefined) return before
    const made = encode({ alg: 'ES256', typ: type, kid: first?.kid })
    headers.set(type, made)
    return made
  }

  return {
    sign(claims, type = 'JWT') {
      const input = `${headerOf(type)}.${encode(claims)}`
      return `${input}.${sign('sha256', Buffer.from(input), first.signs).toString('base64url')}`
    },

    verify(jws, type) {
      const [header = '', payload = '', signature = '', ...rest] = jws.split('.')
      if (rest.length > 0) return undefined
      const { alg, kid, typ } = decode(header) ?? {}
      const key = keys.find((one) => one.kid === kid)
      if (alg !== 'ES256' || typ !== type || key === undefined) return undefined
      const input = Buffer.from(`${header}.${payload}`)
      const isOurs = verify('sha256', input, key.verifies, Buffer.from(signature, 'base64url'))
      return isOurs ? decode(payload) : undefined
    },

    jwks: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
  }
}

interface SigningKey {
  readonly kid: string
  readonly jwk: object
  readonly signs: { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' }
  readonly verifies: { readonly key: KeyObject; readonly dsaEncoding: 'ieee-p1363' }
}

/** The order of P-256 (FIPS 186-5). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

function deriveKey(secret: string): SigningKey {
  // 16 bytes more than needed make the remainder as good as uniform (FIPS 186-5 appendix A.2.1).
  const wide = hkdfSync('sha256', secret, '', 'coatcheck gateway identity ES256', 48)
  const scalar = (BigInt(`0x${Buffer.from(wide).toString('hex')}`) % (ORDER - 1n)) + 1n
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')
  const exchange = createECDH('prime256v1')
  exchange.setPrivateKey(d)
  const point = exchange.getPublicKey()
  const x = point.subarray(1, 33).toString('base64url')
  const y = point.subarray(33).toString('base64url')
  // RFC 7638 section 3: the required members in the order of the alphabet.
  const shown = { crv: 'P-256', kty: 'EC', x, y }
  const kid = createHash('sha256').update(JSON.stringify(shown)).digest('base64url')
  const dsaEncoding = 'ieee-p1363' as const
  const jwk = { ...shown, d: d.toString('base64url') }
  return {
    kid,
    jwk: { ...shown, kid, alg: 'ES256', use: 'sig' },
    signs: { key: createPrivateKey({ key: jwk, format: 'jwk' }), dsaEncoding },
    verifies: { key: createPublicKey({ key: shown, format: 'jwk' }), dsaEncoding },
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    // Whoever sent it made it up.
    return undefined
  }
}
