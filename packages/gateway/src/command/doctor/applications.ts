import type {
  ApplicationConfiguration,
  GatewayConfiguration,
} from '../../configuration/configuration.ts'
import { isLoopback } from '../../configuration/kinds.ts'
import { adviceFor } from '../advice.ts'
import { ask } from './ask.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

/** Whether the applications answer, and whether only the gateway can reach them. */
export async function examineApplications(configuration: GatewayConfiguration): Promise<Finding[]> {
  const found = await Promise.all(
    configuration.applications.map((one) => examine(one, new URL(configuration.origin))),
  )
  return found.flat()
}

async function examine(
  { name, upstream, backchannelLogoutUri }: ApplicationConfiguration,
  origin: URL,
): Promise<Finding[]> {
  const about = `applications (${name})`
  const asked = await ask(upstream, { method: 'HEAD' })
  const { hostname, protocol } = new URL(upstream)
  return [
    'failed' in asked
      ? problem(
          about,
          `It cannot be reached at ${upstream} (${asked.failed}): ${adviceFor(asked.failed)}.`,
        )
      : fine(about, `It answers at ${upstream}.`),
    ...(hostname === origin.hostname && !isLoopback(hostname)
      ? [
          warning(
            about,
            `It listens on the public host ${hostname} itself: browsers may reach it past the gateway, and send it the session’s cookie, which knows no ports. Let it listen on 127.0.0.1 or in a network of its own.`,
          ),
        ]
      : []),
    ...(protocol === 'http:' && !isLoopback(hostname) && hostname.includes('.')
      ? [
          warning(
            about,
            `Who is signed in goes to ${hostname} over plain http: see to it that nobody else listens or speaks there. Whoever reaches it past the gateway can claim to be anybody, unless it verifies the signed identity.`,
          ),
        ]
      : []),
    ...(backchannelLogoutUri === undefined
      ? []
      : [await logoutFinding(about, backchannelLogoutUri)]),
  ]
}

async function logoutFinding(about: string, uri: string): Promise<Finding> {
  const asked = await ask(uri, { method: 'OPTIONS' })
  if (!('failed' in asked)) return fine(about, `Something answers at its back-channel logout URI.`)
  return problem(
    about,
    `Its back-channel logout URI cannot be reached (${asked.failed}): ${adviceFor(asked.failed)}. Its own sessions outlive a sign-out until it can.`,
  )
}
