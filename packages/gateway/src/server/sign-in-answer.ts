import type { IncomingMessage } from 'node:http'
import { type Auth, SignInRequired } from 'coatcheck'
import type { ApplicationConfiguration } from '../configuration/configuration.ts'

/**
 * The answer where somebody has to sign in first: a page is sent to sign in and comes back, all
 * else gets 401, as does everything that is asked of an API.
 */
export function signInAnswer(
  auth: Auth,
  access: ApplicationConfiguration['access'],
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
): Response {
  const plain = new SignInRequired(auth.signInPath())
  if (access === 'api') return plain.toResponse()
  const answer = plain.toResponse(request)
  if (answer.status === 401) return answer
  return new SignInRequired(auth.signInPath(request.url)).toResponse(request)
}
