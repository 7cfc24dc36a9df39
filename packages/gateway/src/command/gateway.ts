import { AuthError } from 'coatcheck'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { type OpenedStore, openStore } from '../configuration/open.ts'
import { jsonLogger, type Logger } from '../server/log.ts'
import { type Gateway, startGateway } from '../server/start.ts'
import { type ExitCode, FAILED, FINE } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { listenersOf, listenFailure } from './listeners.ts'
import { configurationOf, type Invocation } from './opened.ts'
import { withStore } from './store-failure.ts'

/** A gateway that runs, and what was opened for it. */
interface Running {
  readonly configuration: GatewayConfiguration
  readonly opened: OpenedStore
  readonly gateway: Gateway
  /** Settles when those it took over from have ended: they may use the same store. */
  readonly before: Promise<unknown>
}

/** What a signal asks for. */
type Wish = 'stop' | 'reload'

/** Whoever stops a gateway waits so long for what is under way. */
const GRACE = 30_000

/**
 * `coatcheck gateway`: runs until SIGTERM or SIGINT, and then ends what is under way. On SIGHUP it
 * reads the configuration again; where that has a mistake it goes on with the one it has.
 */
export async function gateway(invocation: Invocation): Promise<ExitCode> {
  const configuration = configurationOf(invocation)
  const logger = jsonLogger(configuration.log.level)
  const wishes = hearSignals()
  let running = await start(configuration, undefined, logger)
  for (;;) {
    if ((await wishes.next()) === 'stop') break
    const next = await reload(invocation, running, logger)
    // Nothing listens any more: whoever watches this process starts it again.
    if (next === undefined) process.exit(FAILED)
    running = next
  }
  logger.info('gateway_stopping')
  const isDone = await withinGrace(stop(running))
  if (!isDone) logger.warn('gateway_stopped_before_everything_was_done')
  return isDone ? FINE : FAILED
}

async function start(
  configuration: GatewayConfiguration,
  before: OpenedStore | undefined,
  logger: Logger,
): Promise<Running> {
  const { store } = configuration
  const opened = before ?? (await withStore(store, () => openStore(store)))
  try {
    const gateway = await startGateway(configuration, {
      store: opened.store,
      logger,
    })
    void tellOfKeys(gateway, logger)
    return { configuration, opened, gateway, before: Promise.resolve() }
  } catch (error) {
    if (before === undefined) await opened.close()
    const { port } = error as { port?: number }
    const at = listenersOf(configuration).find((one) => one.port === port)
    throw at === undefined ? error : Object.assign(error as Error, { setting: at.setting })
  }
}

/** A store that no key opens is ready never: nobody else would say so before the first user comes. */
async function tellOfKeys({ auth }: Gateway, logger: Logger): Promise<void> {
  try {
    await auth.sessions({ subject: 'coatcheck-start' })
  } catch (error) {
    // A store that does not answer is told of by the library's own event, and may yet.
    if (!(error instanceof AuthError) || error.code !== 'keys_unknown') return
    logger.error('store_not_opened', { code: error.code, reason: error.message })
  }
}

async function stop({ gateway, opened, before }: Running): Promise<void> {
  await gateway.close()
  await before
  await opened.close()
}

/**
 * Nothing of the old gateway listens any more when the new one begins to, and what the old one has
 * under way comes to its end meanwhile. Connections that are refused in that moment are tried again
 * by browsers. The store stays open where it is the same.
 */
async function reload(
  invocation: Invocation,
  running: Running,
  logger: Logger,
): Promise<Running | undefined> {
  let configuration: GatewayConfiguration
  try {
    configuration = configurationOf(invocation)
  } catch (error) {
    logger.error('configuration_refused', { reason: failureOf(error).text })
    return running
  }
  const failure = await listenFailure(configuration, running.configuration)
  if (failure !== undefined) {
    logger.error('configuration_refused', { reason: failureOf(failure).text })
    return running
  }
  const isSame = JSON.stringify(configuration.store) === JSON.stringify(running.configuration.store)
  const closing = running.gateway
    .close({ replaced: true })
    .finally(() => (isSame ? undefined : running.opened.close()))
  const told = closing.catch((error: unknown) => {
    logger.error('gateway_closing_failed', { reason: failureOf(error).text })
  })
  const before = Promise.all([running.before, told])
  const kept = isSame ? running.opened : undefined
  const next = await startAgain(configuration, kept, logger)
  if (next !== undefined) {
    logger.info('configuration_reloaded')
    return { ...next, before }
  }
  const again = await startAgain(running.configuration, kept, logger)
  return again && { ...again, before }
}

/** Five seconds. */
const ATTEMPTS = 50

/** The old listener may need a moment to let go of its port. */
async function startAgain(
  configuration: GatewayConfiguration,
  opened: OpenedStore | undefined,
  logger: Logger,
): Promise<Running | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(configuration, opened, jsonLogger(configuration.log.level))
    } catch (error) {
      const isBusy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isBusy || attempt === ATTEMPTS) {
        logger.error('gateway_not_started', { reason: failureOf(error).text })
        return undefined
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** Signals in the order they came. The second wish to stop is granted at once, by the system. */
function hearSignals(): { next(): Promise<Wish> } {
  const waiting: Wish[] = []
  let wake: () => void = () => undefined
  const hear = (wish: Wish) => (): void => {
    waiting.push(wish)
    wake()
  }
  process.once('SIGTERM', hear('stop'))
  process.once('SIGINT', hear('stop'))
  process.on('SIGHUP', hear('reload'))
  return {
    async next() {
      while (waiting.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return waiting.shift() ?? 'stop'
    },
  }
}

async function withinGrace(done: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), GRACE)
  })
  try {
    return await Promise.race([done.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}
