import { fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process of a benchmark, and what it said of itself once it was ready. */
export interface Child<Told> {
  readonly told: Told
  /** Sends it a message, and resolves with its next one. One question at a time. */
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
  readonly profile?: { readonly folder: string | undefined; readonly name: string }
}

/** Starts a file and waits for its first message. It ends when it is disconnected. */
export async function startChild<Told>(
  file: URL,
  { args = [], env = {}, profile }: ChildOptions = {},
): Promise<Child<Told>> {
  const { folder, name } = profile ?? {}
  const child = fork(fileURLToPath(file), args, {
    execArgv:
      folder === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`],
    env: { ...process.env, ...env },
  })
  const [told] = await once(child, 'message')
  const ask: Child<Told>['ask'] = async (question) => {
    child.send(question)
    const [answer] = await once(child, 'message')
    return answer
  }
  return {
    told,
    ask,
    cpu: () => ask('cpu'),
    async close() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}
