import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import type { SessionRecord } from '../session/record.ts'

/** For a provider that does not announce back-channel logout, and is not set otherwise. */
const DEFAULT_REVALIDATE = 900_000

/** After how many milliseconds the provider is asked; `undefined`: it tells us. */
export function revalidateAfter({ configuration, provider }: Context): number | undefined {
  if (configuration.revalidate !== undefined) return configuration.revalidate
  const tells = provider.knownMetadata()?.backchannel_logout_supported === true
  return tells ? undefined : DEFAULT_REVALIDATE
}

/** Whether the provider must be asked whether this session still stands. */
export function isRevalidationDue(context: Context, record: SessionRecord): boolean {
  const after = revalidateAfter(context)
  return after !== undefined && context.environment.now() - record.validatedAt >= after
}

/**
 * Whether that cannot be said yet, since this process never asked the provider what it announces.
 * Then {@link learn} comes first.
 */
export function isRevalidationUnknown(context: Context, record: SessionRecord): boolean {
  const { configuration, provider } = context
  const told = configuration.revalidate !== undefined || provider.knownMetadata() !== undefined
  return !told && isRevalidationDue(context, record)
}

/** Asks once what the provider announces. `false`: it is out of reach, and cannot be asked more. */
export async function learn({ provider }: Context): Promise<boolean> {
  try {
    await provider.metadata()
    return true
  } catch (error) {
    if (error instanceof AuthError) return false
    throw error
  }
}
