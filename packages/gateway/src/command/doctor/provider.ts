import type { GatewayConfiguration } from '../../configuration/configuration.ts'
import { LIBRARY_DEFAULTS } from '../../library-defaults.ts'
import { adviceFor } from '../advice.ts'
import { type Asked, ask } from './ask.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** From here on it is worth a word. The Date header counts in seconds. */
const SKEW_WORTH_A_WORD = 5

/** Whether the provider is reached, its clock agrees, and it can do what is configured. */
export async function examineProvider(configuration: GatewayConfiguration): Promise<Finding[]> {
  const { issuer } = configuration.provider
  const asked = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  if ('failed' in asked) {
    const { failed } = asked
    return [
      problem(
        'provider.issuer',
        `The provider cannot be reached (${failed}): ${adviceFor(failed)}. Nobody can sign in, and tokens are not renewed.`,
      ),
    ]
  }
  const metadata = objectIn(asked.body)
  if (asked.response.status !== 200 || metadata === undefined) {
    return [
      problem(
        'provider.issuer',
        `No discovery document is there (HTTP ${asked.response.status}): write the issuer as the provider does, path included.`,
      ),
    ]
  }
  if (metadata['issuer'] !== issuer) {
    return [
      problem(
        'provider.issuer',
        `The provider calls itself ${shown(metadata['issuer'])}: write exactly that.`,
      ),
    ]
  }
  return [
    fine('provider.issuer', 'The provider is reached, and is the one that is meant.'),
    clockFinding(asked),
    ...abilities(configuration, metadata),
    await keysFinding(metadata['jwks_uri']),
  ]
}

function clockFinding({
  response,
  sentAt,
  receivedAt,
}: Extract<Asked, { response: Response }>): Finding {
  const theirs = Date.parse(response.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) {
    return warning(
      'clock',
      'The provider does not say what time it is: compare the clocks yourself.',
    )
  }
  // The header is cut to whole seconds, so half a second later is its middle.
  const skew = (theirs + 500 - (sentAt + receivedAt) / 2) / 1000
  const much = `${Math.round(Math.abs(skew))} s ${skew < 0 ? 'behind' : 'ahead of'} this machine`
  if (Math.abs(skew) > LIBRARY_DEFAULTS.clockSkewSeconds) {
    return problem(
      'clock',
      `The provider’s clock is ${much}: its ID tokens and logout tokens are refused. Set this machine’s clock (NTP).`,
    )
  }
  if (Math.abs(skew) > SKEW_WORTH_A_WORD) {
    return warning(
      'clock',
      `The provider’s clock is ${much}; from ${LIBRARY_DEFAULTS.clockSkewSeconds} s on nothing works. Set this machine’s clock (NTP).`,
    )
  }
  return fine('clock', 'The provider’s clock agrees with this machine’s.')
}

function abilities(
  { provider, scope, session }: GatewayConfiguration,
  metadata: Readonly<Record<string, unknown>>,
): Finding[] {
  const findings: Finding[] = []
  const lacks = (list: string, value: string): boolean => {
    const supported = metadata[list]
    return Array.isArray(supported) && !supported.includes(value)
  }
  const method = provider.clientAuthentication ?? 'client_secret_basic'
  if (lacks('token_endpoint_auth_methods_supported', method)) {
    findings.push(
      problem(
        'provider.clientAuthentication',
        `The provider does not take ${method}: write one of ${listed(metadata['token_endpoint_auth_methods_supported'])}.`,
      ),
    )
  }
  const algorithm = provider.idTokenSignedResponseAlg ?? 'RS256'
  if (lacks('id_token_signing_alg_values_supported', algorithm)) {
    findings.push(
      problem(
        'provider.idTokenSignedResponseAlg',
        `The provider does not sign by ${algorithm}: register and write one of ${listed(metadata['id_token_signing_alg_values_supported'])}.`,
      ),
    )
  }
  if (lacks('code_challenge_methods_supported', 'S256')) {
    findings.push(
      warning(
        'provider',
        'The provider announces no PKCE with S256: it is sent all the same, and may be ignored.',
      ),
    )
  }
  for (const one of scope.split(' ')) {
    if (one === 'openid' || !lacks('scopes_supported', one)) continue
    findings.push(
      warning(
        'scope',
        `The provider does not announce the scope ${one}: it may not grant it, or refuse.`,
      ),
    )
  }
  const mayRefresh = scope.split(' ').includes('offline_access')
  if (
    !mayRefresh &&
    Array.isArray(metadata['scopes_supported']) &&
    !lacks('scopes_supported', 'offline_access')
  ) {
    const revalidates =
      session.revalidateSeconds !== undefined || metadata['backchannel_logout_supported'] !== true
    findings.push(
      warning(
        'scope',
        'Without offline_access this provider may give no refresh token: access tokens then end for good after minutes' +
          (revalidates ? ', and so does the session, since it cannot be revalidated' : '') +
          '. Add it to the scope.',
      ),
    )
  }
  if (
    metadata['frontchannel_logout_supported'] === true &&
    metadata['frontchannel_logout_session_supported'] !== true
  ) {
    findings.push(
      warning(
        'provider',
        'The provider announces no sid in front-channel logout: a frame that comes without it ends only the session of the cookie it carries, which browsers mostly keep back.',
      ),
    )
  }
  const claims = metadata['claims_supported']
  if (
    Array.isArray(claims) &&
    !claims.includes('sid') &&
    metadata['backchannel_logout_session_supported'] !== true
  ) {
    findings.push(
      warning(
        'provider',
        'ID tokens seem to have no sid: a sign-out elsewhere ends all of the user’s sessions or none. Look whether the provider can add it to ID tokens.',
      ),
    )
  }
  return findings
}

async function keysFinding(uri: unknown): Promise<Finding> {
  if (typeof uri !== 'string')
    return problem('provider', 'The provider names no jwks_uri: no token can be checked.')
  const asked = await ask(uri)
  if ('failed' in asked) {
    return problem(
      'provider',
      `The provider’s keys cannot be fetched (${asked.failed}): ${adviceFor(asked.failed)}.`,
    )
  }
  const keys = objectIn(asked.body)?.['keys']
  return Array.isArray(keys) && keys.length > 0
    ? fine('provider', 'The provider’s keys are there.')
    : problem(
        'provider',
        `The provider shows no keys (HTTP ${asked.response.status}): no token can be checked.`,
      )
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    // Any other page: whoever asked says so.
    return undefined
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200)
}

function listed(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(', ').slice(0, 200) : ''
}
