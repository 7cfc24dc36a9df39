import { type Auth, AuthError } from 'coatcheck'
import { reasonOf } from '../cause-code.ts'
import type { Logger } from './log.ts'

/** Whether the provider was reached since the start. */
export interface ProviderWatch {
  readonly isReached: boolean
  stop(): void
}

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

/**
 * Looks for the provider at the start, and again until it is there: the log says that it is not,
 * that it is at last, and what this deployment will not hear of.
 */
export function watchProvider(
  auth: Auth,
  logger: Logger,
  firstPause: number = FIRST_PAUSE,
): ProviderWatch {
  let isReached = false
  let isStopped = false
  let timer: NodeJS.Timeout | undefined

  async function look(pause: number): Promise<void> {
    try {
      const { warnings } = await auth.coverage()
      isReached = true
      logger.info('provider_reached')
      for (const warning of warnings) logger.warn('coverage', { warning })
    } catch (error) {
      if (isStopped) return
      logger.warn('provider_not_reached', { reason: whyNot(error), retryMilliseconds: pause })
      timer = setTimeout(begin, pause, Math.min(pause * 2, LONGEST_PAUSE))
      timer.unref()
    }
  }

  function begin(pause: number): void {
    look(pause).catch((error: unknown) =>
      logger.error('request_failed', { reason: reasonOf(error) }),
    )
  }

  begin(firstPause)
  return {
    get isReached() {
      return isReached
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/** One that was reached, and is not the one that is meant or says nonsense: what, the library knows. */
function whyNot(error: unknown): string {
  const isSaid = error instanceof AuthError && error.code === 'provider_invalid'
  return isSaid ? error.message : reasonOf(error)
}
