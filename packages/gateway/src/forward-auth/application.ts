import { type Application, createApplications } from '../proxy/applications.ts'
import type { GatewayContext } from '../server/context.ts'

/** The application that another proxy asks for. It need not be behind this one. */
export function applicationOf(
  { applications, configuration }: Pick<GatewayContext, 'applications' | 'configuration'>,
  name: string,
): Application {
  const known = applications.all.find((one) => one.configuration.name === name)
  return known ?? onlyAsked(configuration.origin, name)
}

function onlyAsked(origin: string, name: string): Application {
  const { all } = createApplications({
    origin,
    applications: [
      {
        name,
        upstream: origin,
        host: undefined,
        path: '/',
        stripPath: false,
        access: 'signed_in',
        accessToken: undefined,
        audience: name,
        backchannelLogoutUri: undefined,
      },
    ],
  })
  const [application] = all
  if (application === undefined) throw new TypeError('forwardAuth.application: write its name.')
  return application
}
