import type { AccessToken, AccessTokenOptions } from '../../auth.ts'
import { ProviderError } from '../../errors.ts'
import { SignInRequired } from '../../sign-in-required.ts'
import type { Context } from '../context.ts'
import { readSession } from '../session/read.ts'
import { findAccessToken, type KeptAccessToken, type TokenKey } from '../session/record.ts'
import { endSession } from '../sign-out/end-session.ts'
import { redacted } from './redacted.ts'
import { CLAIM, refreshSession, wantsTheUser } from './refresh.ts'
import { checkResource } from './resource.ts'
import { isRevalidationDue, isRevalidationUnknown, learn } from './revalidation.ts'

/** So long before its end a token is renewed, if its life is not short altogether. */
const AHEAD = 60_000
const FIRST_POLL = 20
const LONGEST_POLL = 500

/**
 * A valid access token of a session. A token is only ever released from bytes that were read
 * after the last wait: whatever landed during a wait is seen before the answer.
 */
export async function accessTokenOf(
  context: Context,
  id: string,
  options: AccessTokenOptions & { readonly claims?: string },
): Promise<AccessToken> {
  const key = toKey(context, options)
  const minValidity = (options.minValiditySeconds ?? 10) * 1000
  const giveUpAt = context.environment.now() + CLAIM
  let firstGeneration: number | undefined
  let poll = FIRST_POLL
  /** A refresh was tried and did not help: what is at hand will do if it is good at all. */
  let contented = false
  /** Until the provider turns out to be out of reach: then its tokens expire by themselves. */
  let mayAsk = true

  for (;;) {
    const held = await readSession(context, id)
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
    if (token !== undefined && !needed && (contented || minted || !wanted)) return release(token)

    if (record.refreshToken === undefined) {
      if (token !== undefined && !needed && !due) return release(token)
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

/** The first resource of the sign-in is meant where none is named. */
function toKey(
  { configuration }: Context,
  { resource = configuration.resources[0], scope }: AccessTokenOptions,
): TokenKey {
  const askedScope = scope?.split(' ').filter(Boolean).sort().join(' ')
  return {
    resource: resource === undefined ? undefined : checkResource(resource),
    askedScope: askedScope === '' ? undefined : askedScope,
  }
}

/** One caller renews a token ahead of its end; a short-lived one in its last fifth. */
function isAhead(token: KeptAccessToken | undefined, now: number): boolean {
  if (token === undefined) return false
  const ahead = Math.min(AHEAD, (token.expiresAt - token.mintedAt) / 5)
  return token.expiresAt - now <= ahead
}

function release({ value, expiresAt, scope, tokenType }: KeptAccessToken): AccessToken {
  return redacted({ value, expiresAt, scope, tokenType })
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
