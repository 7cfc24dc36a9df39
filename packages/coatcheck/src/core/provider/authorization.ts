import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { readAnswer } from './answers.ts'
import type { Client } from './client.ts'
import { appendResources } from './resources.ts'
import type { Provider, ProviderMetadata } from './types.ts'

type Parameters = Readonly<Record<string, string | readonly string[]>>

/**
 * Builds authorization requests (Core 3.1.2.1). With PAR (RFC 9126) each one is pushed anew,
 * since a `request_uri` serves once, and the browser carries nothing but its name.
 */
export function createAuthorization(
  clientId: string,
  alwaysPush: boolean,
  discovery: Pick<Provider, 'metadata'>,
  client: Client,
  environment: Environment,
): Pick<Provider, 'authorizationUrl'> {
  const push = async (metadata: ProviderMetadata, request: URLSearchParams): Promise<string> => {
    if (metadata.pushed_authorization_request_endpoint === undefined) {
      throw new AuthError(
        'provider_invalid',
        'Requests must be pushed, and the provider has no endpoint for it.',
      )
    }
    const response = await client.push(metadata, request)
    const what = 'pushed authorization request endpoint'
    const answer = await readAnswer(what, response, environment.now(), [201, 200])
    const { request_uri } = answer
    if (typeof request_uri !== 'string' || request_uri === '') {
      throw new AuthError('provider_invalid', `The ${what} sent no request_uri.`)
    }
    return request_uri
  }

  return {
    async authorizationUrl(parameters) {
      const request = requestOf(clientId, parameters)
      const metadata = await discovery.metadata()
      const url = new URL(metadata.authorization_endpoint)
      if (alwaysPush || metadata.require_pushed_authorization_requests) {
        url.searchParams.set('client_id', clientId)
        url.searchParams.set('request_uri', await push(metadata, request))
        return url
      }
      for (const [name, value] of request) url.searchParams.append(name, value)
      return url
    },
  }
}

function requestOf(clientId: string, parameters: Parameters): URLSearchParams {
  const request = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'request_uri' || name === 'request') {
      // RFC 9126 section 2.1; and who may name a request could replace ours.
      throw new AuthError('request_invalid', `${name} cannot be a parameter of a sign-in.`)
    }
    if (name === 'resource') appendResources(request, [value].flat())
    else for (const each of [value].flat()) request.append(name, each)
  }
  request.set('client_id', clientId)
  request.set('response_type', 'code')
  return request
}
