import type { Ended, Place } from 'coatcheck'
import type {
  ApplicationConfiguration,
  GatewayConfiguration,
} from '../configuration/configuration.ts'
import type { SigningKeys } from '../identity/signing-keys.ts'
import { type LogoutTarget, logoutToken } from './logout-token.ts'
import { placeName } from './place-name.ts'

/** The places of all applications that want to hear of sign-outs. */
export function applicationPlaces(
  { applications, origin }: Pick<GatewayConfiguration, 'applications' | 'origin'>,
  keys: SigningKeys,
): Place[] {
  return applications.flatMap((application) => {
    const { backchannelLogoutUri: uri } = application
    return uri === undefined ? [] : [applicationPlace(application, uri, keys, origin)]
  })
}

/**
 * An application with sessions of its own, as a place that a sign-out reaches: it is sent a
 * logout token for each session that ended. The library's durable queue tries again until the
 * application has answered 200 or 204.
 */
export function applicationPlace(
  { name, audience }: Pick<ApplicationConfiguration, 'name' | 'audience'>,
  uri: string,
  keys: SigningKeys,
  issuer: string,
): Place {
  return {
    name: placeName(name),
    async end(ended, signal) {
      await tellAll(targetsOf(ended), (target) =>
        tell(uri, logoutToken(keys, { issuer, audience }, target, ended.at), signal),
      )
      // How many sessions it had of them, it does not say.
      return undefined
    },
  }
}

/** So many logout tokens are on their way to an application at once. */
const AT_ONCE = 8

/** Whatever the application says of one session, it hears of the others. Rejects if any failed. */
async function tellAll(
  targets: readonly LogoutTarget[],
  tellOne: (target: LogoutTarget) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  for (let at = 0; at < targets.length; at += AT_ONCE) {
    const some = targets.slice(at, at + AT_ONCE)
    const told = some.map((target) =>
      tellOne(target).catch((error: unknown) => failures.push(error)),
    )
    await Promise.all(told)
  }
  if (failures.length > 0) throw failures[0]
}

async function tell(uri: string, token: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(uri, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
    // A logout token is for nobody else.
    redirect: 'manual',
    signal,
  })
  await response.body?.cancel()
  if (response.status !== 200 && response.status !== 204) {
    throw new Error(`The application answered ${response.status} to a logout token.`)
  }
}

/**
 * It knows our sessions by their handles; the provider's own `sid` means nothing to it. Where a user
 * was named, all that the application has of the user ends: it may have begun sessions by ones of
 * ours that are long over. Those we had are named too, since some applications know only `sid`s.
 */
function targetsOf({ named, sessions }: Ended): LogoutTarget[] {
  const users = named.flatMap(({ sid, subject }) =>
    sid === undefined && subject !== undefined ? [subject] : [],
  )
  return [
    ...sessions.map(({ subject, handle }) => ({ subject, handle })),
    ...[...new Set(users)].map((subject) => ({ subject })),
  ]
}
