import type { Coverage, CoverageLine } from '../auth.ts'
import type { Context } from './context.ts'
import type { ProviderMetadata } from './provider/types.ts'
import { revalidateAfter } from './tokens/revalidation.ts'

/** Who can end a session, by which channel this deployment hears of it, and what fills the gaps. */
export async function coverageOf(context: Context): Promise<Coverage> {
  const metadata = await context.provider.metadata()
  const after = revalidateAfter(context)
  const revalidated = after === undefined ? undefined : after / 1000
  const backChannel = metadata.backchannel_logout_supported === true
  const frontChannel = metadata.frontchannel_logout_supported === true

  const elsewhere = (who: CoverageLine['who']): CoverageLine => ({
    who,
    heardBy: [
      ...(backChannel ? (['back_channel'] as const) : []),
      ...(frontChannel ? (['front_channel'] as const) : []),
      ...asked(revalidated),
    ],
    withinSeconds: backChannel ? 0 : revalidated,
    neverBy: [
      ...(backChannel ? [] : (['back_channel'] as const)),
      ...(frontChannel ? [] : (['front_channel'] as const)),
    ],
    filledBy: backChannel ? undefined : revalidated === undefined ? 'refresh' : 'revalidation',
  })
  /** Many providers say nothing when an administrator acts: only asking is certain. */
  const silent = (who: CoverageLine['who']): CoverageLine => ({
    who,
    heardBy: [
      ...(backChannel ? (['back_channel'] as const) : []),
      ...asked(revalidated),
      'refresh',
    ],
    withinSeconds: revalidated,
    // There is no browser in which a frame could be opened.
    neverBy: [...(backChannel ? [] : (['back_channel'] as const)), 'front_channel'],
    filledBy: revalidated === undefined ? 'refresh' : 'revalidation',
  })

  return {
    lines: [
      atOnce('user_here'),
      elsewhere('user_at_another_application'),
      elsewhere('user_at_the_provider'),
      atOnce('administrator_here'),
      silent('administrator_at_the_provider'),
      silent('account_disabled'),
    ],
    warnings: warningsOf(metadata, revalidated),
    registration: registrationOf(context),
  }
}

function atOnce(who: CoverageLine['who']): CoverageLine {
  return { who, heardBy: ['at_once'], withinSeconds: 0, neverBy: [], filledBy: undefined }
}

function asked(revalidated: number | undefined): readonly 'revalidation'[] {
  return revalidated === undefined ? [] : ['revalidation']
}

function warningsOf(metadata: ProviderMetadata, revalidated: number | undefined): string[] {
  const gap =
    revalidated === undefined
      ? 'Set session.revalidateSeconds to ask it regularly.'
      : `It is asked every ${revalidated} s instead.`
  const warnings: [boolean, string][] = [
    [
      metadata.backchannel_logout_supported !== true,
      `The provider announces no back-channel logout: a sign-out elsewhere is not told. ${gap}`,
    ],
    [
      metadata.backchannel_logout_supported === true &&
        metadata.backchannel_logout_session_supported !== true,
      'The provider announces no sid in logout tokens: a sign-out elsewhere ends all sessions of the user.',
    ],
    [
      metadata.frontchannel_logout_supported !== true,
      'The provider announces no front-channel logout.',
    ],
    [
      metadata.end_session_endpoint === undefined,
      'The provider has no end_session_endpoint: a sign-out here leaves its own session standing.',
    ],
    [
      metadata.revocation_endpoint === undefined,
      'The provider has no revocation_endpoint: tokens that were removed here live on until they expire.',
    ],
    [
      revalidated === undefined,
      'Administrators and disabled accounts are heard of when a token is refreshed, unless session.revalidateSeconds is set.',
    ],
  ]
  return warnings.flatMap(([applies, sentence]) => (applies ? [sentence] : []))
}

function registrationOf({ configuration }: Context): Coverage['registration'] {
  const { origin, routes } = configuration
  return {
    redirect_uris: [origin + routes.callback],
    post_logout_redirect_uris: [origin + routes.signedOut],
    backchannel_logout_uri: origin + routes.backChannelLogout,
    backchannel_logout_session_required: true,
    frontchannel_logout_uri: origin + routes.frontChannelLogout,
    frontchannel_logout_session_required: true,
  }
}
