import type { IncomingMessage } from 'node:http'
import type { AccessToken, Auth, Session } from 'coatcheck'
import type { ApplicationConfiguration } from '../configuration/configuration.ts'
import type { GatewayContext } from '../server/context.ts'
import type { Application } from './applications.ts'
import type { Told } from './request-headers.ts'

/** What the application of a request is told, once the access token it wants is there. */
export async function tell(
  context: GatewayContext,
  application: Application,
  session: Session | undefined,
  request: IncomingMessage,
): Promise<Told> {
  const { configuration } = application
  const token =
    session === undefined || configuration.accessToken === undefined
      ? undefined
      : await accessTokenFor(context.auth, session, configuration.accessToken)
  return toldOf(context, application, session, request, token?.value)
}

/** The same where no access token has to be asked for. */
export function toldOf(
  { identity, proxies }: GatewayContext,
  application: Application,
  session: Session | undefined,
  request: IncomingMessage,
  accessToken?: string,
): Told {
  return {
    application,
    identity: session && identity.headersFor(session, application.configuration.audience),
    accessToken,
    client: proxies.clientOf(request),
  }
}

function accessTokenFor(
  auth: Auth,
  session: Session,
  wanted: Exclude<ApplicationConfiguration['accessToken'], undefined>,
): Promise<AccessToken> {
  if (wanted === true) return auth.accessToken(session)
  const { resource, scope } = wanted
  return auth.accessToken(session, { resource, ...(scope !== undefined && { scope }) })
}
