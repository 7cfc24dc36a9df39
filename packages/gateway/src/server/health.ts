import { type Auth, AuthError } from 'coatcheck'

/** What an orchestrator asks. */
export interface Health {
  /** 200 while requests can be served: the store answers, and the gateway is not stopping. */
  ready(): Promise<{ readonly status: 200 | 503; readonly body: object }>
  /** From now on it is not ready: load balancers send their requests elsewhere. */
  stopping(): void
}

/**
 * A provider that is down does not make a gateway unready: who is signed in stays signed in, and
 * all gateways would be taken out at once. It is told, though.
 */
export function createHealth(auth: Auth, isProviderReached: () => boolean): Health {
  let isStopping = false

  async function storeAnswers(): Promise<string> {
    try {
      await auth.sessions({ subject: NOBODY })
      return 'ok'
    } catch (error) {
      // The log has it, with the code of its cause.
      return error instanceof AuthError ? error.code : 'fault'
    }
  }

  return {
    async ready() {
      const store = await storeAnswers()
      const provider = isProviderReached() ? 'ok' : 'not_reached_yet'
      const status = store === 'ok' && !isStopping ? 200 : 503
      return { status, body: { store, provider, ...(isStopping && { stopping: true }) } }
    },
    stopping() {
      isStopping = true
    },
  }
}

/** Whoever it is, the store has to be asked. */
const NOBODY = 'coatcheck-readiness'
