import type { Auth, SignOutReceipt } from 'coatcheck'
import type { RawContents } from 'coatcheck/testing'

/** What it came to. */
export interface EverySession {
  readonly receipts: readonly SignOutReceipt[]
  /** Sessions that are there after it: zero, unless removing them does not help. */
  readonly left: number
}

/** At a time: each is a step of the store, and a message to every application. */
const AT_ONCE = 16
/** Somebody may sign in while this runs; a store that gains faster than this is not emptied so. */
const MOST_PASSES = 20

/**
 * Has every sign-in fail that is under way at this application; then signs out every session that
 * the raw contents of a store show, whatever its indexes say, and looks again until there is none.
 * In this order: a sign-in that is not refused any more has its session in what is looked through.
 */
export async function signOutEverySession(
  auth: Auth,
  contents: RawContents,
): Promise<EverySession> {
  await auth.refuseSignInsUnderWay()
  const receipts: SignOutReceipt[] = []
  let handles = await handlesIn(contents)
  for (let pass = 0; pass < MOST_PASSES && handles.length > 0; pass++) {
    const before = receipts.length
    for (let at = 0; at < handles.length; at += AT_ONCE) {
      const some = handles.slice(at, at + AT_ONCE)
      receipts.push(...(await Promise.all(some.map((session) => auth.signOut({ session })))))
    }
    const removed = receipts.slice(before).some((receipt) => receipt.removed > 0)
    const left = await handlesIn(contents)
    // What is still there after it was removed would be there after the next time, too.
    if (!removed && left.length > 0) return { receipts, left: left.length }
    handles = left
  }
  return { receipts, left: handles.length }
}

async function handlesIn(contents: RawContents): Promise<string[]> {
  const handles = new Set<string>()
  for await (const { record } of contents) {
    const [, handle] = /^s\.([\w-]{43})$/.exec(record?.id ?? '') ?? []
    if (handle !== undefined) handles.add(handle)
  }
  return [...handles]
}
