import { WrongUse } from './failure.ts'

/** Whom a command is about, as it was written on the command line. */
export interface Named {
  readonly subject?: string
  readonly sid?: string
  readonly session?: string
}

/** One of the three that a library call takes. */
export type One =
  | { readonly subject: string }
  | { readonly sid: string }
  | { readonly session: string }

const HANDLE = /^[\w-]{43}$/

/** Exactly one must be named. */
export function oneOf({ subject, sid, session }: Named): One {
  const given: One[] = [
    ...(subject === undefined ? [] : [{ subject }]),
    ...(sid === undefined ? [] : [{ sid }]),
    ...(session === undefined ? [] : [{ session: checkHandle(session) }]),
  ]
  const [one] = given
  if (one === undefined || given.length > 1) {
    throw new WrongUse('Name one: --subject, --sid or --session.')
  }
  if (Object.values(one).includes('')) throw new WrongUse('The name is empty.')
  return one
}

/** A handle is what `sessions list` and receipts show; a cookie must not end up in a shell's history. */
export function checkHandle(handle: string): string {
  if (HANDLE.test(handle)) return handle
  throw new WrongUse(
    'A session is named by its handle: 43 characters, as `coatcheck sessions list` shows it.',
  )
}
