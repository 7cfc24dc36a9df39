import type { AuthEvent, SignOutReceipt } from 'coatcheck'

/** What became of tokens that were to be revoked at the provider. */
export interface RevocationOutcomes {
  readonly confirmed: number
  /** The provider cannot revoke them. */
  readonly unsupported: number
  /** In the store, until a gateway or another command has come through to the provider. */
  readonly owed: number
}

/** Hears of revocations, and waits for those of a sign-out. */
export interface Revocations {
  hear(event: AuthEvent): void
  /** Resolves when all are through or one has failed, and after a few seconds anyway. */
  of(receipts: readonly SignOutReceipt[]): Promise<RevocationOutcomes>
}

/** A command does not stay until a provider that is down is back: what is owed is in the store. */
const PATIENCE = 5_000

/** Counts revocations by the receipts they belong to. */
export function createRevocations(): Revocations {
  const heard: Extract<AuthEvent, { type: 'revocation' }>[] = []
  let changed: () => void = () => undefined

  function countOf(receipts: readonly SignOutReceipt[]): RevocationOutcomes & { failed: number } {
    const ids = new Set(receipts.map(({ id }) => id))
    const count = (outcome: string): number =>
      heard.filter((one) => one.outcome === outcome && ids.has(one.receipt)).length
    const [confirmed, unsupported, failed] = [
      count('confirmed'),
      count('unsupported'),
      count('failed'),
    ]
    const all = receipts.reduce((sum, { revocationsOwed }) => sum + revocationsOwed, 0)
    return { confirmed, unsupported, failed, owed: Math.max(0, all - confirmed - unsupported) }
  }

  return {
    hear(event) {
      if (event.type !== 'revocation') return
      heard.push(event)
      changed()
    },

    async of(receipts) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PATIENCE)
        changed = () => {
          const { owed, failed } = countOf(receipts)
          if (owed > failed) return
          clearTimeout(timer)
          resolve()
        }
        changed()
      })
      const { confirmed, unsupported, owed } = countOf(receipts)
      return { confirmed, unsupported, owed }
    },
  }
}
