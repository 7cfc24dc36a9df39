/** Runs of bytes that are looked for all at once, however many they are. */
export interface Needles {
  /** Whose needles are in these bytes, in order. */
  ownersIn(bytes: Uint8Array): number[]
}

/** A run of bytes, at least three, and whose it is. */
export interface Needle {
  readonly owner: number
  readonly bytes: Buffer
}

/** One bit for each value of three bytes. */
const BITS = 2 ** 24

/**
 * A receipt of a user with ten thousand sessions has forty thousand needles: to look for each by
 * itself would take a second for every thousand records.
 */
export function createNeedles(needles: readonly Needle[]): Needles {
  const begins = new Uint8Array(needles.length === 0 ? 0 : BITS / 8)
  const byStart = new Map<number, Needle[]>()
  for (const needle of needles) {
    const start = startAt(needle.bytes, 0)
    begins[start >> 3] = (begins[start >> 3] ?? 0) | (1 << (start & 7))
    byStart.set(start, [...(byStart.get(start) ?? []), needle])
  }

  return {
    ownersIn(bytes) {
      const owners = new Set<number>()
      if (needles.length === 0) return []
      for (let at = 0; at + 2 < bytes.length; at++) {
        const start = startAt(bytes, at)
        if (((begins[start >> 3] ?? 0) & (1 << (start & 7))) === 0) continue
        for (const { owner, bytes: wanted } of byStart.get(start) ?? []) {
          if (wanted.equals(bytes.subarray(at, at + wanted.length))) owners.add(owner)
        }
      }
      return [...owners].sort((a, b) => a - b)
    },
  }
}

function startAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
}
