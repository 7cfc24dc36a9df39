import { secretsIn } from '../../core/tokens/keyring.ts'
import { fromBytes, type Ring } from '../../core/tokens/ring.ts'
import type { SealKey } from '../../core/tokens/seal.ts'
import { createVault, type Vault } from '../../core/tokens/vault.ts'
import { AuthError } from '../../errors.ts'
import type { RawEntry } from './entry.ts'
import { readJsonText } from './json-text.ts'

/** The keyrings that were seen in raw bytes. */
export interface Keyrings {
  /** Looks for keyrings in an entry. */
  look(entry: RawEntry): void
  /** What they hold, once all entries were looked at. */
  end(): FoundKeys
}

/** What can be opened and found by the keyrings of a store. */
export interface FoundKeys {
  /** Different keyrings, and how many of them the given keys unwrap. */
  readonly keyrings: { readonly found: number; readonly unwrapped: number }
  /** Each key once, whichever keyring it is in. */
  readonly seal: readonly SealKey[]
  /** One of each keyring: what they find records by. */
  readonly vaults: readonly Vault[]
}

const START = Buffer.from('{"format":')

/**
 * Collects keyrings wherever they are in the bytes. An old one that lies about still unwraps what
 * was sealed under it, and a database may hold those of several applications.
 */
export function createKeyrings(keys: readonly (string | Uint8Array)[]): Keyrings {
  const seen = new Set<string>()
  const seal = new Map<string, SealKey>()
  const vaults = new Map<string, Vault>()
  let unwrapped = 0

  function take(ring: Ring): void {
    try {
      const secrets = secretsIn(ring, keys)
      unwrapped++
      const vault = createVault(secrets, refuse)
      // Two states of one keyring find by the same hashes.
      const keyring = vault.index('claim')
      vaults.set(keyring, vault)
      for (const key of secrets.seal) {
        seal.set(`${keyring} ${Buffer.from(key.id).toString('hex')}`, key)
      }
    } catch (error) {
      // It is counted as found and not unwrapped.
      if (!isUnknown(error)) throw error
    }
  }

  return {
    look({ bytes }) {
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      for (let at = buffer.indexOf(START); at >= 0; at = buffer.indexOf(START, at + 1)) {
        const json = readJsonText(buffer.subarray(at))
        const ring = json?.whole ? read(json.text) : undefined
        if (ring === undefined || json === undefined || seen.has(json.text)) continue
        seen.add(json.text)
        take(ring)
      }
    },

    end: () => ({
      keyrings: { found: seen.size, unwrapped },
      seal: [...seal.values()],
      vaults: [...vaults.values()],
    }),
  }
}

function read(text: string): Ring | undefined {
  try {
    return fromBytes(Buffer.from(text))
  } catch (error) {
    if (isUnknown(error)) return undefined
    throw error
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'keys_unknown'
}

/** An auditor seals nothing. */
function refuse(): never {
  throw new Error('This vault is for reading.')
}
