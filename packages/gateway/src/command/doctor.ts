import { AuthError, type Coverage, createAuth } from 'coatcheck'
import { memoryStore } from 'coatcheck/stores/memory'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { authOptions } from '../configuration/open.ts'
import { LIBRARY_DEFAULTS } from '../library-defaults.ts'
import { examineApplications } from './doctor/applications.ts'
import { coverageTable } from './doctor/coverage-table.ts'
import { type Finding, problem, warning } from './doctor/finding.ts'
import { examineForwardAuth } from './doctor/forward-auth.ts'
import { examineMsal } from './doctor/msal.ts'
import { examineOrigin } from './doctor/origin.ts'
import { examineProvider } from './doctor/provider.ts'
import { examineStore } from './doctor/store.ts'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { configurationOf, type Invocation } from './opened.ts'
import { tableText } from './terminal.ts'

/** What was written behind `coatcheck doctor`. */
export interface DoctorOptions {
  readonly json?: boolean
  /** Warnings count as problems do. */
  readonly strict?: boolean
}

/**
 * `coatcheck doctor`: asks the provider, the applications, the store, the caches and the gateway's own
 * origin, and says who can end a session here and how that is heard of. It changes nothing anywhere.
 */
export async function doctor(
  invocation: Invocation,
  { json = false, strict = false }: DoctorOptions,
): Promise<ExitCode> {
  const configuration = configurationOf(invocation)
  const { coverage, failure } = await coverageOf(configuration)
  const [provider, origin, forwardAuth, applications, store, msal] = await Promise.all([
    examineProvider(configuration),
    examineOrigin(
      configuration,
      `${configuration.origin}${LIBRARY_DEFAULTS.path}/backchannel-logout`,
    ),
    examineForwardAuth(configuration),
    examineApplications(configuration),
    examineStore(configuration),
    examineMsal(configuration),
  ])
  const isSaid = provider.some(({ level }) => level === 'problem')
  const findings: Finding[] = [
    ...provider,
    ...(failure !== undefined && !isSaid ? [problem('provider.issuer', failure)] : []),
    ...(coverage?.warnings ?? []).map((text) => warning('sign-out', text)),
    ...origin.findings,
    ...forwardAuth,
    ...applications,
    ...store,
    ...msal,
  ].sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level))
  const registration = { ...client(configuration), ...coverage?.registration }
  if (json) {
    const lines = coverage?.lines
    const all = { coverage: lines, backChannelArrives: origin.hears, findings, registration }
    invocation.terminal.print(JSON.stringify(all, undefined, 2))
  } else {
    const { lifetimeSeconds = LIBRARY_DEFAULTS.lifetimeSeconds } = configuration.session
    invocation.terminal.print(
      [
        `Who can end a session at ${configuration.origin}, and how that is heard of`,
        '',
        coverage
          ? coverageTable(coverage.lines, { lifetimeSeconds, hears: origin.hears })
          : 'Nobody can say: the provider cannot be asked.',
        '',
        'Findings',
        '',
        tableText(findings.map(({ level, about, text }) => [level, `${about}:`, text])),
        '',
        'To be registered at the provider',
        '',
        tableText(
          Object.entries(registration).map(([name, value]) => [name, [value].flat().join(' ')]),
        ),
      ].join('\n'),
    )
  }
  const isBad = ({ level }: Finding): boolean =>
    level === 'problem' || (strict && level === 'warning')
  return findings.some(isBad) ? FAILED : FINE
}

/** What has to be mended comes first. */
const LEVELS: readonly Finding['level'][] = ['problem', 'warning', 'fine']

/** The library's own answer; what the provider did wrong is a finding. */
async function coverageOf(
  configuration: GatewayConfiguration,
): Promise<{ readonly coverage?: Coverage; readonly failure?: string }> {
  const auth = createAuth(authOptions(configuration, memoryStore()))
  try {
    return { coverage: await auth.coverage() }
  } catch (error) {
    if (error instanceof AuthError) return { failure: `${error.message} (${error.code})` }
    throw error
  } finally {
    await auth.close()
  }
}

/** What else a registration says, under its wire names (OpenID Connect Registration 1.0). */
function client({ provider, origin }: GatewayConfiguration): Record<string, unknown> {
  const auth = `${origin}${LIBRARY_DEFAULTS.path}`
  return {
    client_id: provider.clientId,
    application_type: 'web',
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: provider.clientAuthentication ?? 'client_secret_basic',
    id_token_signed_response_alg: provider.idTokenSignedResponseAlg ?? 'RS256',
    // The same that the library names, for when the provider cannot be asked.
    redirect_uris: [`${auth}/callback`],
    post_logout_redirect_uris: [`${auth}/signed-out`],
    backchannel_logout_uri: `${auth}/backchannel-logout`,
    backchannel_logout_session_required: true,
    frontchannel_logout_uri: `${auth}/frontchannel-logout`,
    frontchannel_logout_session_required: true,
  }
}
