import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { JWK } from 'jose'

/** What {@link ProviderKeys.add} can make. `weak RSA` has 1024 bits, `encryption` is `use: enc`. */
export type KeyKind = 'RSA' | 'EC' | 'Ed25519' | 'weak RSA' | 'encryption'

/** A key pair with the name it is published under. */
export interface ProviderKey {
  readonly kid: string
  readonly alg: string
  readonly use: 'sig' | 'enc'
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The keys of a provider. */
export interface ProviderKeys {
  /** Signs, unless a script says otherwise. */
  readonly current: ProviderKey
  /** What the JWKS endpoint shows, in that order. Change it freely. */
  readonly published: ProviderKey[]
  /** `false` leaves `kid` out of the JWKS and of every token. */
  named: boolean
  /** Replaces the current key by a new one; `keep` goes on publishing the old one. */
  rotate(options?: { readonly keep?: boolean }): Promise<ProviderKey>
  /** Makes and publishes a further key. */
  add(kind: KeyKind): Promise<ProviderKey>
  /** The first published signing key for an algorithm. */
  find(alg: string): ProviderKey | undefined
  /** The JSON Web Key Set. */
  jwks(): { keys: JWK[] }
}

/** Keys named `k1`, `k2`, … in the order they are made. */
export async function createKeys(first?: ProviderKey): Promise<ProviderKeys> {
  let count = 1
  let current = first ?? (await generateKey('RSA', 'k1'))
  const published = [current]
  const name = (): string => `k${++count}`

  const keys: ProviderKeys = {
    named: true,
    published,
    get current() {
      return current
    },
    rotate: async ({ keep = false } = {}) => {
      const next = await generateKey('RSA', name())
      const place = published.indexOf(current)
      published.splice(Math.max(place, 0), keep || place < 0 ? 0 : 1, next)
      current = next
      return next
    },
    add: async (kind) => {
      const key = await generateKey(kind, name())
      published.push(key)
      return key
    },
    find: (alg) => {
      if (current.alg === alg) return current
      return published.find((key) => key.use === 'sig' && key.alg === alg)
    },
    jwks: () => ({
      keys: published.map((key) => ({
        ...(key.publicKey.export({ format: 'jwk' }) as JWK),
        ...(keys.named ? { kid: key.kid } : {}),
        use: key.use,
        alg: key.alg,
      })),
    }),
  }
  return keys
}

/** A key nobody publishes: an attacker's, or one to share between providers to save time. */
export async function generateKey(kind: KeyKind, kid: string): Promise<ProviderKey> {
  const use = kind === 'encryption' ? 'enc' : 'sig'
  return { kid, use, ...(await pairs[kind]()) }
}

type Pair = Pick<ProviderKey, 'alg' | 'privateKey' | 'publicKey'>

const generate = promisify(generateKeyPair)

const rsa = async (alg: string, modulusLength: number): Promise<Pair> => ({
  alg,
  ...(await generate('rsa', { modulusLength })),
})

const pairs: Record<KeyKind, () => Promise<Pair>> = {
  RSA: () => rsa('RS256', 2048),
  'weak RSA': () => rsa('RS256', 1024),
  encryption: () => rsa('RSA-OAEP', 2048),
  EC: async () => ({ alg: 'ES256', ...(await generate('ec', { namedCurve: 'P-256' })) }),
  Ed25519: async () => ({ alg: 'EdDSA', ...(await generate('ed25519')) }),
}
