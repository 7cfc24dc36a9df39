import { createSecretKey, hkdfSync } from 'node:crypto'
import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { sameBytes } from './bytes.ts'
import { fromBytes, type Ring, toBytes, type Wraps } from './ring.ts'
import { open, type SealKey, seal, sealedWith, sealKey } from './seal.ts'
import type { StoredRecord, TokenStore } from './store.ts'
import { createVault, type Secrets, type Vault } from './vault.ts'

/**
 * The deployment's secrets live in its store, wrapped under the configured keys: so every process
 * seals and finds alike while keys are rotated under it, and a sign-out heard by a process with
 * the old key finds what one with the new key wrote (decision 003).
 */
export interface Keyring {
  /** The vault, where it was loaded before: the hot path waits for nothing. */
  readonly vault: Vault | undefined
  load(): Promise<Vault>
  /** Reads the keyring again: for bytes sealed by a key this process has not seen. */
  reload(): Promise<Vault>
  /**
   * Makes sure that the store still holds this keyring before something is written under it: a
   * store that was emptied gets it back, one that was replaced wins.
   */
  confirm(): Promise<Vault>
}

/** The record's own id. */
const KEYRING_ID = 'k'
const DAY = 86_400_000
const LIFETIME = 400 * DAY

/** A keyring under these keys; the first wraps, all unwrap. */
export function createKeyring(
  store: TokenStore,
  keys: readonly (string | Uint8Array)[],
  environment: Environment,
): Keyring {
  const wrappers = keys.map(toWrapper)
  let vault: Vault | undefined
  let held: { bytes: Uint8Array; ring: Ring } | undefined
  let loading: Promise<Vault> | undefined

  function adopt(bytes: Uint8Array, ring: Ring): Vault {
    held = { bytes, ring }
    vault = createVault(unwrapAll(ring, wrappers), environment.random)
    return vault
  }

  async function read(): Promise<Vault> {
    for (;;) {
      const bytes = await store.get(KEYRING_ID)
      if (bytes === undefined) {
        const ring = held?.ring ?? createRing(wrappers, environment)
        if (held === undefined) await refuseOrphans()
        const fresh = toBytes(ring)
        if (await store.insert(KEYRING_ID, toRecord(fresh, environment))) return adopt(fresh, ring)
        continue
      }
      if (vault !== undefined && held !== undefined && sameBytes(bytes, held.bytes)) return vault
      const ring = fromBytes(bytes)
      const tended = tend(ring, wrappers, environment)
      if (tended === ring) return adopt(bytes, ring)
      const next = toBytes(tended)
      if (await store.replace(KEYRING_ID, bytes, toRecord(next, environment))) {
        return adopt(next, tended)
      }
    }
  }

  /**
   * A store that lost its keyring and kept its records must not get another: whoever is in them
   * could neither be found nor signed out. A process that still holds the keyring puts it back.
   */
  async function refuseOrphans(): Promise<void> {
    if (await store.isEmpty()) return
    // Unless another process, which is as new as we are, has just begun.
    if ((await store.get(KEYRING_ID)) !== undefined) return
    throw new AuthError(
      'keys_unknown',
      'The keyring of this store is lost, and its records are there: restore the store from a ' +
        'backup, or empty it to start afresh and sign everybody out.',
    )
  }

  function readOnce(): Promise<Vault> {
    loading ??= read().finally(() => {
      loading = undefined
    })
    return loading
  }

  return {
    get vault() {
      return vault
    },
    load: async () => vault ?? readOnce(),
    reload: readOnce,
    confirm: readOnce,
  }
}

/**
 * The secrets in a keyring, by these keys, for whoever reads a store from outside. Throws
 * `keys_unknown` where none of them fits.
 */
export function secretsIn(ring: Ring, keys: readonly (string | Uint8Array)[]): Secrets {
  return unwrapAll(ring, keys.map(toWrapper))
}

interface Wrapper {
  readonly name: string
  readonly key: SealKey
}

function toWrapper(key: string | Uint8Array): Wrapper {
  const material = typeof key === 'string' ? Buffer.from(key) : key
  const derive = (info: string, length: number): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', material, '', info, length))
  const id = derive('coatcheck key id', 6)
  return { name: encode(id), key: sealKey(id, derive('coatcheck keyring', 32)) }
}

/** Wrapped under every configured key: a process that has only the older one reads it too. */
function createRing(wrappers: readonly Wrapper[], environment: Environment): Ring {
  if (wrappers.length === 0) throw new TypeError('keys must not be empty.')
  return {
    format: 1,
    wrappedBy: [...new Set(wrappers.map(({ name }) => name))].reverse(),
    renewedAt: environment.now(),
    index: wrapUnderAll(environment.random(32), wrappers, environment),
    seal: [createSealKey(wrappers, environment)],
  }
}

function createSealKey(
  wrappers: readonly Wrapper[],
  environment: Environment,
): Ring['seal'][number] {
  const id = encode(environment.random(6))
  return { id, wraps: wrapUnderAll(environment.random(32), wrappers, environment) }
}

/**
 * What the keyring should be, now that this process with its keys has seen it; the same object
 * where nothing is to be done. A key that is not configured here was retired if it came before
 * our first key (then what it wrapped is sealed anew and it opens nothing from now on), and is
 * merely not yet known here if it came after.
 */
function tend(ring: Ring, wrappers: readonly Wrapper[], environment: Environment): Ring {
  const [first] = wrappers
  if (first === undefined) throw new TypeError('keys must not be empty.')
  let next = ring
  if (!ring.wrappedBy.includes(first.name)) {
    const also = (wraps: Wraps): Wraps => ({
      ...wraps,
      ...wrap(unwrap(wraps, wrappers), first, environment),
    })
    next = {
      ...ring,
      wrappedBy: [...ring.wrappedBy, first.name],
      index: also(ring.index),
      seal: ring.seal.map((one) => ({ ...one, wraps: also(one.wraps) })),
    }
  }
  const ours = new Set(wrappers.map((wrapper) => wrapper.name))
  const before = next.wrappedBy.slice(0, next.wrappedBy.indexOf(first.name))
  const retired = before.filter((name) => !ours.has(name))
  if (retired.length > 0) {
    const without = (wraps: Wraps): Wraps =>
      Object.fromEntries(Object.entries(wraps).filter(([name]) => !retired.includes(name)))
    next = {
      ...next,
      wrappedBy: next.wrappedBy.filter((name) => !retired.includes(name)),
      index: without(next.index),
      seal: [
        createSealKey(wrappers, environment),
        ...next.seal.map((one) => ({ ...one, wraps: without(one.wraps) })),
      ].slice(0, 8),
    }
  }
  const old = environment.now() - next.renewedAt > LIFETIME / 2
  return old ? { ...next, renewedAt: environment.now() } : next
}

function unwrapAll(ring: Ring, wrappers: readonly Wrapper[]): Secrets {
  const seal = ring.seal
    // A key newer than ours may have sealed something that this process cannot read yet.
    .filter((one) => wrappers.some((wrapper) => wrapper.name in one.wraps))
    .map((one) => sealKey(decode(one.id), unwrap(one.wraps, wrappers)))
  if (seal.length === 0) throw unknown()
  return { index: createSecretKey(unwrap(ring.index, wrappers)), seal }
}

function wrap(secret: Uint8Array, { name, key }: Wrapper, environment: Environment): Wraps {
  return { [name]: encode(seal(key, 'keyring', name, secret, environment.random(12))) }
}

function wrapUnderAll(
  secret: Uint8Array,
  wrappers: readonly Wrapper[],
  environment: Environment,
): Wraps {
  return Object.assign({}, ...wrappers.map((wrapper) => wrap(secret, wrapper, environment)))
}

function unwrap(wraps: Wraps, wrappers: readonly Wrapper[]): Uint8Array {
  for (const { name, key } of wrappers) {
    const wrapped = wraps[name]
    const bytes = wrapped === undefined ? undefined : decode(wrapped)
    if (bytes === undefined || sealedWith(bytes) === undefined) continue
    const secret = open(key.secret, 'keyring', name, bytes)
    if (secret !== undefined) return secret
  }
  throw unknown()
}

function unknown(): AuthError {
  return new AuthError(
    'keys_unknown',
    'None of `keys` opens this store. Add the key that was used before, behind the new one; to ' +
      'start afresh and sign everybody out, empty the store.',
  )
}

function toRecord(value: Uint8Array, environment: Environment): StoredRecord {
  const expiresAt = environment.now() + LIFETIME
  return { value, expiresAt, established: { provider: 0, here: 0 }, indexes: [] }
}

function encode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

function decode(text: string): Uint8Array {
  return Buffer.from(text, 'base64url')
}
