import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AuthEvent } from '#coatcheck'
import type { Question, Setup, Told } from './process.ts'

/** One process of an application, as its test sees it. */
export interface Process {
  /**
   * Resolves with the answer, or `{ code }` of the error. Rejects when the process dies first.
   * `heard` is told of the events that came of the question, before its answer.
   */
  ask(question: Question, heard?: (event: AuthEvent) => void): Promise<unknown>
  readonly events: AuthEvent[]
  /** `kill -9`, and waits for the end. */
  kill(): Promise<void>
}

/** Starts a process. `heard` is told of its events as they come. */
export async function startProcess(
  setup: Setup,
  heard: (event: AuthEvent) => void = () => {},
): Promise<Process> {
  const file = fileURLToPath(new URL('./process.ts', import.meta.url))
  // Compiling our own sources takes longer than anything a process does here.
  const NODE_COMPILE_CACHE = join(tmpdir(), 'coatcheck-compile-cache')
  const env = { ...process.env, SETUP: JSON.stringify(setup), NODE_COMPILE_CACHE }
  const child: ChildProcess = fork(file, { env, execArgv: [] })
  const events: AuthEvent[] = []
  const waiting = new Map<
    number,
    {
      resolve: (answer: unknown) => void
      reject: (error: Error) => void
      heard: ((event: AuthEvent) => void) | undefined
    }
  >()
  let asked = 0

  const exited = once(child, 'exit').then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The process died.'))
    waiting.clear()
  })
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The process did not start.')))
    child.on('message', (told: Told) => {
      if ('ready' in told) return resolve()
      if ('failed' in told) return reject(new Error(`The process did not start: ${told.failed}`))
      if ('event' in told) {
        events.push(told.event)
        waiting.get(told.number ?? 0)?.heard?.(told.event)
        return heard(told.event)
      }
      waiting.get(told.number)?.resolve('code' in told ? { code: told.code } : told.answer)
      waiting.delete(told.number)
    })
  })

  return {
    events,
    ask: (question, heardOfIt) =>
      new Promise((resolve, reject) => {
        const number = ++asked
        waiting.set(number, { resolve, reject, heard: heardOfIt })
        child.send({ number, question }, (error) => error && reject(error))
      }),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
