import type { Context } from '../context.ts'
import { keptUntil } from '../sign-out/mark.ts'
import { refusalIndex } from '../tokens/home.ts'
import type { StoredRecord } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { PendingSignIn } from './pending.ts'

/** What the one record says, sealed: by the store's clock, and only ever later. */
interface Refusal {
  /** Sign-ins that began until then come to nothing. */
  readonly before: number
}

/**
 * Has every sign-in that began until now, whoever's and in whatever process, fail at its callback.
 * Resolves when that is durable. It is what a sign-out of everybody has for a mark: no index leads
 * to everybody, so whoever looks for sessions does so after this (decision 019).
 */
export async function refuseSignInsUnderWay(context: Context): Promise<void> {
  const { keyring, provider, store } = context
  const now = await store.now()
  const vault = await keyring.confirm()
  const id = refusalId(vault, provider)
  for (;;) {
    const bytes = await store.get(id)
    const said = bytes && (await openRefusal(context, vault, id, bytes))
    // Also where as much was said already: by somebody else, and perhaps not durably yet.
    const next = toRecord(context, vault, Math.max(said?.before ?? now, now))
    const isWritten = bytes === undefined ? store.insert(id, next) : store.replace(id, bytes, next)
    if (await isWritten) return
  }
}

/**
 * Whether a sign-in is one of them. Ask when its session is in the store: whoever refused it before
 * that is seen here, and whoever does so after it sees the session.
 */
export async function isRefused(
  context: Context,
  vault: Vault,
  { beganAt }: Pick<PendingSignIn, 'beganAt'>,
): Promise<boolean> {
  const id = refusalId(vault, context.provider)
  const bytes = await context.store.get(id)
  if (bytes === undefined) return false
  const refusal = await openRefusal(context, vault, id, bytes)
  if (refusal !== undefined) return beganAt <= refusal.before
  // Damaged: nobody knows whom it refused. Whoever is under way begins again, for the last time.
  await refuseSignInsUnderWay(context)
  return true
}

function refusalId(vault: Vault, home: Context['provider']): string {
  return `n.${refusalIndex(vault, home)}`
}

async function openRefusal(
  { keyring }: Context,
  vault: Vault,
  id: string,
  bytes: Uint8Array,
): Promise<Refusal | undefined> {
  const opened = vault.open('refusal', id, bytes)
  const isByNewerKey = 'reason' in opened && opened.reason === 'unknown_key'
  const { content } = isByNewerKey ? (await keyring.reload()).open('refusal', id, bytes) : opened
  return content as Refusal | undefined
}

function toRecord(context: Context, vault: Vault, before: number): StoredRecord {
  const { provider } = context
  const refusal: Refusal = { before }
  return {
    value: vault.seal('refusal', refusalId(vault, provider), refusal),
    expiresAt: keptUntil(context, before),
    established: { provider: Number.MAX_SAFE_INTEGER, here: Number.MAX_SAFE_INTEGER },
    // Nobody looks there: a store may take its time with what no index finds (`stores/lmdb.ts`).
    indexes: [refusalIndex(vault, provider)],
  }
}
