import type { Context } from '../context.ts'
import type { SessionRecord } from '../session/record.ts'

/** For a provider that does not announce back-channel logout, and does not tell us to the contrary. */
const DEFAULT_REVALIDATE = 900_000

/** After how many milliseconds the provider is asked; `undefined`: it tells us. */
export function revalidateAfter(context: Context): number | undefined {
  const { revalidate } = context.configuration
  if (revalidate !== undefined) return revalidate
  const tells = context.provider.knownMetadata()?.backchannel_logout_supported === true
  return tells ? undefined : DEFAULT_REVALIDATE
}

/** Whether the provider must be asked whether this session still stands. */
export function isRevalidationDue(context: Context, record: SessionRecord): boolean {
  const after = revalidateAfter(context)
  return after !== undefined && context.environment.now() - record.validatedAt >= after
}
