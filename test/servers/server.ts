import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signal } from './signal.ts'
import { until } from './until.ts'
import { isRunning, type Workplace } from './workplace.ts'

/** A server that runs as a child of this process, and what may befall it. */
export interface Server {
  readonly port: number
  /** Where it works, together with the others of its Cluster. */
  readonly folder: string
  readonly running: boolean
  /** Ends it, by default as a crash does, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /**
   * Stops it in peace where it runs, and starts it on the same port in the same folder, this time
   * with these further arguments.
   */
  restart(extraArgs?: readonly string[]): Promise<void>
  /** It keeps its connections, takes new ones, and says nothing. */
  pause(): void
  resume(): void
}

/** How a server is started, stopped, and seen to answer. */
export interface Plan {
  readonly name: string
  readonly port: number
  readonly program: string
  readonly args: readonly string[]
  readonly workplace: Workplace
  /** The signal on which it ends in peace. */
  readonly stop: NodeJS.Signals
  /** True once it serves; it may throw until then. */
  answers(): Promise<boolean>
}

/** Starts a server, and comes back when it answers; otherwise with the end of its log. */
export async function startServer(plan: Plan): Promise<Server> {
  const { workplace } = plan
  const log = join(workplace.folder, `${plan.name}-${plan.port}.log`)
  let child: ChildProcess

  const running = (): boolean => isRunning(child)
  const launch = async (extraArgs: readonly string[]): Promise<void> => {
    const output = openSync(log, 'a')
    child = workplace.run(plan.program, [...plan.args, ...extraArgs], output)
    closeSync(output)
    let gone = false
    child.once('exit', () => {
      gone = true
    })
    try {
      await until(`${plan.name} answers`, async () => gone || plan.answers())
    } catch (error) {
      throw new Error(`${plan.name} does not answer. ${tail(log)}`, { cause: error })
    }
    if (!running()) throw new Error(`${plan.name} ended at once. ${tail(log)}`)
  }
  const kill = async (name: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
    if (!running()) return
    const exit = once(child, 'exit')
    signal(child, name)
    // What is paused hears a polite signal only when it goes on.
    if (name !== 'SIGKILL') signal(child, 'SIGCONT')
    await exit
  }

  await launch([])
  return {
    port: plan.port,
    folder: workplace.folder,
    get running() {
      return running()
    },
    kill,
    async restart(extraArgs = []) {
      await kill(plan.stop)
      await launch(extraArgs)
    },
    pause: () => signal(child, 'SIGSTOP'),
    resume: () => signal(child, 'SIGCONT'),
  }
}

function tail(log: string): string {
  return `Its log ends:\n${readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n')}`
}
