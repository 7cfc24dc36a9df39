import type { Auth } from '../../auth.ts'
import { type StandIn, standIn } from './stand-in.ts'

/** How a scenario wants the application put together. */
export interface AdapterSetup {
  /** What the adapter serves: a stand-in that remembers what reached it. */
  readonly auth: Auth
  /**
   * What reads every body before the adapter sees it: a form parser, one that leaves the text, or
   * one that leaves nothing.
   */
  readonly bodyParser: 'none' | 'form' | 'text' | 'lost'
  /** Whether every answer gets `X-Frame-Options` and its like, by the framework's own middleware. */
  readonly securityHeaders: boolean
  /** What `GET /stream` sends, piece by piece as it comes. */
  stream(): AsyncIterable<string>
}

/** An application that listens. */
export interface RunningApplication {
  /** Such as `http://127.0.0.1:49152`. */
  readonly url: string
  /** Ends it together with its connections. */
  close(): Promise<void>
}

/**
 * Starts an application that serves `setup.auth` by the adapter under test, and has these routes:
 *
 * - `GET /hello` answers `hello`
 * - `POST /echo` answers the body, read by the application itself
 * - `GET /stream` sends what `setup.stream()` yields
 * - `/account`, any method, behind the guard: answers the subject of the session
 * - `GET /account/cached`, behind the guard: the same with `Cache-Control: private, max-age=60`
 * - `GET /orders` answers what `auth.accessToken` gives; a `SignInRequired` is answered by
 *   the adapter's `askToSignIn`
 * - any other error: 500 with `framework: ` and the message of the error
 * - any other path: 404
 */
export type StartApplication = (setup: AdapterSetup) => Promise<RunningApplication>

/** Runs one scenario against an application of its own. */
export async function withApplication(
  start: StartApplication,
  setup: Partial<AdapterSetup>,
  scenario: (application: RunningApplication, auth: StandIn) => Promise<void>,
): Promise<void> {
  const auth = standIn()
  const application = await start({
    auth,
    bodyParser: 'none',
    securityHeaders: false,
    stream: nothing,
    ...setup,
  })
  try {
    await scenario(application, auth)
  } finally {
    await application.close()
  }
}

async function* nothing(): AsyncIterable<string> {
  yield* []
}
