import type { GatewayConfiguration } from '../../configuration/configuration.ts'
import { FOR_PROXIES } from '../../forward-auth.ts'
import { ask } from './ask.ts'
import { type Finding, fine, problem } from './finding.ts'

/** Whether browsers reach what only other proxies should ask. */
export async function examineForwardAuth({
  origin,
  forwardAuth,
}: GatewayConfiguration): Promise<Finding[]> {
  if (forwardAuth === undefined) return []
  const url = origin + forwardAuth.path
  const asked = await ask(url)
  // Nobody answers at the origin at all, which is said of the origin.
  if ('failed' in asked) return []
  if (!asked.response.headers.has(FOR_PROXIES)) {
    return [fine('forwardAuth', `Browsers do not reach it at ${url}.`)]
  }
  return [
    problem(
      'forwardAuth',
      `Browsers reach it at ${url}, and any script in a page of this origin reads there the user’s signed identity, and the access token if one is attached: let your proxy ask it without passing it on (nginx: internal).`,
    ),
  ]
}
