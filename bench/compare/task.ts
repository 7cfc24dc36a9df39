import type { ProviderAddress } from '../provider.ts'

/** What a process that is compared is told, by its environment. */
export interface Task {
  readonly port: number
  /** What browsers call it. With several processes for one application it is the first one's. */
  readonly origin: string
  readonly provider: ProviderAddress
  /** Which of its ways it is to be run, such as `redis`. */
  readonly variant: string
  readonly redis?: string
  readonly postgres?: string
}

/** What the route answers to whoever is signed in: that there is a user, and an access token. */
export interface Answer {
  readonly sub: string
  readonly length: number
  /** The session's name at the provider, where the route knows it. */
  readonly sid?: string
}

/** The path of the route that is measured. */
export const ROUTE = '/api'

/** The environment variable a {@link Task} travels in. */
export const TASK = 'COATCHECK_BENCH'

/** A secret for whatever wants one. */
export const SECRET = 'a key for benchmarks of thirty-two bytes'

/** What this process is to do. */
export function readTask(): Task {
  const text = process.env[TASK]
  if (text === undefined) throw new TypeError('This is started by bench/compare/main.ts.')
  return JSON.parse(text)
}

/** Tells the parent that we listen, and from then on what we spent. Ends with the parent. */
export function ready(close: () => Promise<void> = async () => undefined): void {
  process.on('message', (message) => {
    if (message !== 'cpu') return
    const { user, system } = process.cpuUsage()
    process.send?.(user + system)
  })
  process.on('disconnect', () => {
    void close().finally(() => process.exit())
  })
  process.send?.('ready')
}
