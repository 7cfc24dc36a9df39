import type { Auth, AuthEvent, SignOutReceipt } from 'coatcheck'
import { signOutEverySession } from './every-session.ts'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { WrongUse } from './failure.ts'
import { type Named, type One, oneOf } from './named.ts'
import { type Invocation, type Opened, withOpened } from './opened.ts'
import { receiptText, revocationLine } from './receipt.ts'
import { createRevocations, type Revocations } from './revocations.ts'

/** What was written behind `coatcheck sign-out`. */
export interface SignOutOptions extends Named {
  readonly all?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/** `coatcheck sign-out`: removes what is named, everywhere, and shows the receipt. */
export async function signOut(invocation: Invocation, options: SignOutOptions): Promise<ExitCode> {
  const { terminal } = invocation
  const one = options.all ? nobodyElse(options) : oneOf(options)
  if (options.yes !== true && !terminal.isAttended) {
    throw new WrongUse('Nobody is here to be asked: write --yes.')
  }
  const revocations = createRevocations()
  const observe = (event: AuthEvent): void => revocations.hear(event)
  return withOpened<ExitCode>(
    invocation,
    async (opened) => {
      const question = one === undefined ? EVERYBODY : await questionOf(opened.auth, one)
      if (options.yes !== true && !(await terminal.confirm(question))) {
        terminal.complain('Nobody was signed out.')
        return FAILED
      }
      return one === undefined
        ? everySession(invocation, opened, revocations, options.json === true)
        : named(invocation, opened.auth, one, revocations, options.json === true)
    },
    observe,
  )
}

const EVERYBODY = 'Sign out every user, everywhere?'

function nobodyElse(options: SignOutOptions): undefined {
  if (options.subject ?? options.sid ?? options.session) {
    throw new WrongUse('--all is everybody: leave out the other names.')
  }
}

async function questionOf(auth: Auth, one: One): Promise<string> {
  if ('sid' in one) return 'Sign out every session of this session of the provider?'
  const { length } = await auth.sessions(one)
  const many = length === 1 ? '1 session' : `${length} sessions`
  return `Sign out ${many}${'subject' in one ? ' of this user' : ''}?`
}

async function named(
  { terminal }: Invocation,
  auth: Auth,
  one: One,
  revocations: Revocations,
  json: boolean,
): Promise<ExitCode> {
  const receipt: SignOutReceipt = await auth.signOut(one)
  const outcomes = await revocations.of([receipt])
  terminal.print(
    json
      ? JSON.stringify({ receipt, revocations: outcomes }, undefined, 2)
      : receiptText(receipt, outcomes),
  )
  return FINE
}

async function everySession(
  { terminal }: Invocation,
  { auth, opened }: Opened,
  revocations: Revocations,
  json: boolean,
): Promise<ExitCode> {
  const { receipts, left } = await signOutEverySession(auth, opened.contents ?? [])
  const outcomes = await revocations.of(receipts)
  const removed = receipts.reduce((sum, receipt) => sum + receipt.removed, 0)
  if (json)
    terminal.print(JSON.stringify({ removed, left, receipts, revocations: outcomes }, undefined, 2))
  else {
    terminal.print(`Signed out: ${removed} sessions. Left in the store: ${left}.`)
    terminal.print(revocationLine(outcomes))
    terminal.print(LIMITS)
  }
  return left === 0 ? FINE : FAILED
}

const LIMITS =
  'Sign-ins that were under way have to begin again. Other applications in the same store are ' +
  'signed out too, but for sign-ins that were under way there.'
