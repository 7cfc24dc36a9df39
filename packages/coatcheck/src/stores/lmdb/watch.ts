import type { Journal, Noted } from './journal.ts'

/** Waits for commits to become visible. */
export interface Watch {
  /** Calls `seen` as soon as every process sees what the step wrote, unless it is let go before. */
  add(step: Noted<unknown>, seen: () => void): void
  letGo(step: Noted<unknown>): void
  /** Looks now. */
  look(): void
  /** Looks no more: lmdb fails where it is read while it is closed. It tells all who still wait. */
  close(): void
}

/** Milliseconds between two looks. */
const PAUSE = 1

/**
 * lmdb 3.5.6 resolves what it is asked to write when it is on disk, though LMDB shows it to everybody
 * before: so we look. One timer for all, and only while somebody waits.
 */
export function createWatch(journal: Journal): Watch {
  const waiting = new Map<Noted<unknown>, () => void>()
  let isTimed = false
  let isClosed = false

  function look(): void {
    if (waiting.size === 0) return
    try {
      const isVisible = journal.visible()
      for (const [step, seen] of waiting) {
        if (!isVisible(step)) continue
        waiting.delete(step)
        seen()
      }
    } catch {
      // The environment was closed, or cannot be read: lmdb itself tells whoever waits.
    }
  }

  function lookLater(): void {
    if (isTimed) return
    isTimed = true
    setTimeout(() => {
      isTimed = false
      if (waiting.size === 0) return
      look()
      lookLater()
    }, PAUSE)
  }

  return {
    add(step, seen) {
      // Only lmdb itself can tell.
      if (step.entry === undefined || isClosed) return
      waiting.set(step, seen)
      lookLater()
    },
    letGo(step) {
      waiting.delete(step)
    },
    look,
    close() {
      isClosed = true
      waiting.clear()
    },
  }
}
