import type { Auth } from '../auth.ts'
import { type Partitions, partitions } from '../core/session/partitions.ts'

/** The partitions behind an {@link Auth}. A TypeError for one that `createAuth` did not make. */
export function partitionsOf(auth: Auth): Partitions {
  const open: unknown = Reflect.get(auth, partitions)
  if (typeof open === 'function') return open.call(auth) as Partitions
  throw new TypeError('msalCachePlugin takes the `auth` that createAuth of this package made.')
}
