import type {
  ApplicationConfiguration,
  GatewayConfiguration,
} from '../configuration/configuration.ts'
import { lenientPath } from './path.ts'

/** An application as the proxy needs it, computed once. */
export interface Application {
  readonly configuration: ApplicationConfiguration
  /** Where it listens. */
  readonly upstream: URL
  /** The host that a browser asks for when it wants this application. */
  readonly publicHost: string
  /** What is taken off the path before the application sees it; empty mostly. */
  readonly stripped: string
}

/** Finds the application a request is for. */
export interface Applications {
  readonly all: readonly Application[]
  /**
   * `undefined`: nobody's. `ambiguous`: the path names one application as it is written and
   * another as a lenient server reads it, or leads upwards.
   */
  find(host: string | undefined, path: string): Application | 'ambiguous' | undefined
}

/** The applications of a configuration, in their order: the first that fits is asked. */
export function createApplications(
  configuration: Pick<GatewayConfiguration, 'origin' | 'applications'>,
): Applications {
  const { host: originHost, port } = new URL(configuration.origin)
  const all = configuration.applications.map((one): Application => {
    const upstream = new URL(one.upstream)
    return {
      configuration: one,
      upstream,
      publicHost: publicHostOf(one.host, port) ?? originHost,
      stripped: one.stripPath && one.path !== '/' ? withoutSlash(one.path) : '',
    }
  })
  const entries = all.map((application) => ({
    application,
    host: application.configuration.host?.toLowerCase(),
    prefix: withoutSlash(application.configuration.path),
    lenientPrefix: withoutSlash(lenientPath(application.configuration.path) ?? '/'),
  }))

  return {
    all,
    find(host, path) {
      const lenient = lenientPath(path)
      if (lenient === undefined) return 'ambiguous'
      const asked = host?.toLowerCase()
      for (const { application, host: wanted, prefix, lenientPrefix } of entries) {
        if (wanted !== undefined && !isHost(asked, wanted)) continue
        const fits = isBelow(path, prefix)
        if (lenient !== path && isBelow(lenient, lenientPrefix) !== fits) return 'ambiguous'
        if (fits) return application
      }
      return undefined
    },
  }
}

/** A name without a port is meant with whichever port browsers use. */
function isHost(asked: string | undefined, wanted: string): boolean {
  return asked === wanted || (asked !== undefined && asked.replace(/:\d+$/, '') === wanted)
}

function publicHostOf(host: string | undefined, port: string): string | undefined {
  return host === undefined || port === '' || host.includes(':') ? host : `${host}:${port}`
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH
}

const SLASH = 0x2f

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
