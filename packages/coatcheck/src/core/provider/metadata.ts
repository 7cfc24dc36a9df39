import { isTrustworthy } from '../http/trustworthy.ts'
import { isJsonObject } from './strict-json.ts'
import type { ProviderMetadata } from './types.ts'

const REQUIRED_ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const
const OPTIONAL_ENDPOINTS = [
  'userinfo_endpoint',
  'revocation_endpoint',
  'end_session_endpoint',
  'pushed_authorization_request_endpoint',
] as const
const SWITCHES = [
  'require_pushed_authorization_requests',
  'authorization_response_iss_parameter_supported',
  'backchannel_logout_supported',
  'backchannel_logout_session_supported',
  'frontchannel_logout_supported',
  'frontchannel_logout_session_supported',
] as const
const LISTS = [
  'response_types_supported',
  'subject_types_supported',
  'id_token_signing_alg_values_supported',
  'scopes_supported',
  'token_endpoint_auth_methods_supported',
  'code_challenge_methods_supported',
] as const

/**
 * Checks a metadata document (Discovery 1.0 section 4.3): nothing of a document is used when its
 * issuer is another one, or when a member that matters here is missing or of the wrong kind.
 * Throws an `Error` whose message is the rule.
 */
export function checkMetadata(document: unknown, issuer: string): ProviderMetadata {
  if (!isJsonObject(document)) throw new Error('the document is not a JSON object')
  // Some providers write `null` for what they do not have.
  const metadata = Object.fromEntries(
    Object.entries(document).filter(([, value]) => value !== null),
  )
  if (metadata['issuer'] !== issuer) {
    throw new Error(
      `it names the issuer ${printable(metadata['issuer'])}: \`provider.issuer\` must be the same, to the last slash`,
    )
  }
  for (const name of REQUIRED_ENDPOINTS) {
    if (metadata[name] === undefined) throw new Error(`${name} is missing`)
  }
  for (const name of [...REQUIRED_ENDPOINTS, ...OPTIONAL_ENDPOINTS]) {
    if (metadata[name] !== undefined && !isEndpoint(metadata[name])) {
      throw new Error(`${name} is not an https URL`)
    }
  }
  for (const name of SWITCHES) {
    if (metadata[name] !== undefined && typeof metadata[name] !== 'boolean') {
      throw new Error(`${name} is not true or false`)
    }
  }
  for (const name of LISTS) {
    if (metadata[name] !== undefined && !isStringList(metadata[name])) {
      throw new Error(`${name} is not a list of strings`)
    }
  }
  return Object.freeze(metadata) as ProviderMetadata
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const url = new URL(value)
  return isTrustworthy(url) && url.hash === '' && url.username === '' && url.password === ''
}

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

function printable(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 200)
}
