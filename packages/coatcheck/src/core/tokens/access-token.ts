import type { AccessToken, AccessTokenOptions } from '../../auth.ts'
import { ProviderError } from '../../errors.ts'
import { SignInRequired } from '../../sign-in-required.ts'
import type { Context } from '../context.ts'
import { readSession } from '../session/read.ts'
import {
  findAccessToken,
  type HeldSession,
  type KeptAccessToken,
  type SessionRecord,
  type TokenKey,
} from '../session/record.ts'
import { endSession } from '../sign-out/end-session.ts'
import { CLAIM, refreshSession, wantsTheUser } from './refresh.ts'
import { checkResource } from './resource.ts'
import { isRevalidationDue, isRevalidationUnknown, learn } from './revalidation.ts'
import type { MaybePromise } from './store.ts'

/** So long before its end a token is renewed, if its life is not short altogether. */
const AHEAD = 60_000
const FIRST_POLL = 20
const LONGEST_POLL = 500

type Options = AccessTokenOptions & { readonly claims?: string }

/**
 * A valid access token of a session. A token is only ever released from bytes that were read
 * after the last wait: whatever landed during a wait is seen before the answer. `read`: what
 * somebody has just read, without any wait since then.
 */
export function accessTokenOf(
  context: Context,
  id: string,
  options: Options,
  read?: HeldSession,
): MaybePromise<AccessToken> {
  const key = toKey(context, options)
  const go = (held: HeldSession | undefined): MaybePromise<AccessToken> => {
    if (held === undefined) throw required(context)
    const token = atHand(context, held.record, key, options)
    return token === undefined ? obtain(context, held, key, options) : release(context, token)
  }
  const current = read ?? readSession(context, id)
  return current instanceof Promise ? current.then(go) : go(current)
}

/** The token that most requests get: it is there, good for long enough, and nothing else is due. */
function atHand(
  context: Context,
  record: SessionRecord,
  key: TokenKey,
  { minValiditySeconds, forceRefresh }: Options,
): KeptAccessToken | undefined {
  if (forceRefresh === true || record.mustRevalidate) return undefined
  if (isRevalidationDue(context, record)) return undefined
  const token = findAccessToken(record, key)
  const now = context.environment.now()
  if (token === undefined || isAhead(token, now)) return undefined
  return token.expiresAt - now > minValidityOf(minValiditySeconds) ? token : undefined
}

/** The way of all others, from what has just been read. */
async function obtain(
  context: Context,
  first: HeldSession,
  key: TokenKey,
  options: Options,
): Promise<AccessToken> {
  const { id } = first
  const minValidity = minValidityOf(options.minValiditySeconds)
  const giveUpAt = context.environment.now() + CLAIM
  let firstGeneration: number | undefined
  let poll = FIRST_POLL
  /** A refresh was tried and did not help: what is at hand will do if it is good at all. */
  let contented = false
  /** Until the provider turns out to be out of reach: then its tokens expire by themselves. */
  let mayAsk = true

  for (let held: HeldSession | undefined = first; ; held = await readSession(context, id)) {
    if (held === undefined) throw required(context)
    const { record } = held
    if (mayAsk && isRevalidationUnknown(context, record)) {
      mayAsk = await learn(context)
      continue
    }
    firstGeneration ??= record.generation
    const now = context.environment.now()
    const token = findAccessToken(record, key)
    const minted = token !== undefined && token.generation > firstGeneration
    const usable = token !== undefined && (token.expiresAt - now > minValidity || minted)
    const needed = !usable || record.mustRevalidate || (options.forceRefresh === true && !minted)
    const due = mayAsk && isRevalidationDue(context, record)
    const wanted = due || isAhead(token, now)
    if (token !== undefined && !needed && (contented || minted || !wanted)) {
      return release(context, token)
    }

    if (record.refreshToken === undefined) {
      if (token !== undefined && !needed && !due) return release(context, token)
      if (record.mustRevalidate || due) await endSession(context, id, 'not_revalidated')
      throw required(context)
    }

    const outcome = await refreshSession(context, held, key, options.claims)
    if (outcome.kind === 'ended') throw required(context)
    if (outcome.kind === 'changed') continue
    if (!needed) {
      contented = true
      continue
    }
    if (outcome.kind === 'failed') {
      throw wantsTheUser(outcome.error) ? required(context, outcome.error) : outcome.error
    }
    if (context.environment.now() > giveUpAt) throw gaveUp()
    await context.environment.wait(poll)
    poll = Math.min(poll * 2, LONGEST_POLL)
  }
}

function minValidityOf(seconds = 10): number {
  return seconds * 1000
}

/** The first resource of the sign-in is meant where none is named. */
function toKey({ configuration }: Context, { resource, scope }: AccessTokenOptions): TokenKey {
  const askedScope = scope?.split(' ').filter(Boolean).sort().join(' ')
  return {
    resource: resource === undefined ? configuration.resources[0] : checkResource(resource),
    askedScope: askedScope === '' ? undefined : askedScope,
  }
}

/** One caller renews a token ahead of its end; a short-lived one in its last fifth. */
function isAhead(token: KeptAccessToken | undefined, now: number): boolean {
  if (token === undefined) return false
  const ahead = Math.min(AHEAD, (token.expiresAt - token.mintedAt) / 5)
  return token.expiresAt - now <= ahead
}

function release({ views }: Context, token: KeptAccessToken): AccessToken {
  return views.accessToken(token)
}

function required(context: Context, cause?: unknown): SignInRequired {
  return new SignInRequired(context.configuration.routes.signIn, undefined, { cause })
}

function gaveUp(): ProviderError {
  return new ProviderError(
    'provider_unreachable',
    'Another process is refreshing and does not end.',
  )
}
