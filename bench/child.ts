import { fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A process of a benchmark, and what it said of itself once it was ready. */
export interface Child<Told> {
  readonly told: Told
  /** Sends it a message, and resolves with its next one. Questions wait for each other. */
  ask<Answer>(question: Serializable): Promise<Answer>
  /** CPU time so far, of all its threads, in microseconds. */
  cpu(): Promise<number>
  close(): Promise<void>
}

/** What a process is started with. */
export interface ChildOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where its CPU profile goes when it ends. */
  readonly profile?: { readonly folder: string | undefined; readonly name: string } | undefined
}

/** Starts a file and waits for its first message. It ends when it is disconnected. */
export async function startChild<Told>(
  file: URL,
  { args = [], env = {}, profile }: ChildOptions = {},
): Promise<Child<Told>> {
  const { folder, name } = profile ?? {}
  const child = fork(fileURLToPath(file), args, {
    execArgv: [
      '--disable-warning=ExperimentalWarning',
      ...(folder === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]),
    ],
    env: { ...process.env, ...env },
  })
  const exit = once(child, 'exit')
  const gone = exit.then(([code, signal]) => {
    throw new Error(`${basename(file.pathname)} ended with ${code ?? signal}.`)
  })
  // Whoever asks hears of it; nobody may be asking.
  gone.catch(() => undefined)

  const [told] = await Promise.race([once(child, 'message'), gone])
  let last: Promise<unknown> = Promise.resolve()
  const ask: Child<Told>['ask'] = (question) => {
    const answered = last.then(async () => {
      if (!child.connected) return gone
      child.send(question)
      const [answer] = await Promise.race([once(child, 'message'), gone])
      return answer
    })
    last = answered.catch(() => undefined)
    return answered
  }
  return {
    told,
    ask,
    cpu: () => ask('cpu'),
    async close() {
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
      await exit
      clearTimeout(timer)
    },
  }
}

/** What does not end by itself within so many milliseconds is ended. */
const PATIENCE = 10_000
