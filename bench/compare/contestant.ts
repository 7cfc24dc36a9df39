import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../test/servers/ports.ts'
import { type Browser, openBrowser } from './browser.ts'
import type { ProviderAddress } from './provider.ts'
import { type Answer, ROUTE, TASK, type Task } from './task.ts'

/** What everything that is compared runs against. */
export interface Surroundings {
  readonly provider: ProviderAddress
  /** A Redis of its own. */
  redis(): Promise<string>
  /** A Postgres of its own. */
  postgres(): Promise<string>
}

/** Something that is compared: how it is called, started, and signed in to. */
export interface Contestant {
  readonly name: string
  /** The same route without any of it. */
  readonly bare?: string
  /** Of whose every answer is right: what it is, beside its version. */
  readonly setUp: string
  /** npm packages that it is made of; their versions are printed. */
  readonly packages: readonly string[]
  start(surroundings: Surroundings, processes?: number): Promise<Running>
}

/** A contestant that listens. */
export interface Running {
  /** One for each process; all are one application. */
  readonly urls: readonly string[]
  /** Of the route that is measured. Default: {@link ROUTE}. */
  readonly path?: string
  /** Of the first process, in microseconds. */
  cpu(): Promise<number>
  /** Through the provider, as a browser does it. Answers what a request carries. Throws where that is not let in. */
  signIn(user: string): Promise<string>
  /** Whether somebody with these cookies is signed in, and has an access token. */
  answer(cookie: string, process?: number): Promise<Answer | undefined>
  /** Where logout tokens are posted. */
  readonly backchannel: string
  /** Puts sessions in as sign-ins would have; where that can be. */
  readonly populate?: (sessions: readonly unknown[]) => Promise<void>
  /** Resolves when it has done what it does after a logout was answered; who does nothing then has none. */
  readonly settle?: () => Promise<void>
  /** The Redis that keeps its sessions. */
  readonly redis?: string
  close(): Promise<void>
}

/** How a Node process is one. */
export interface NodeContestant {
  readonly name: string
  readonly bare?: string
  readonly setUp: string
  readonly packages: readonly string[]
  readonly file: string
  readonly variant: string
  readonly backchannel?: string
  /** Default: `/login`. */
  readonly signIn?: string | ((browser: Browser, origin: string) => Promise<unknown>)
}

/** A contestant whose processes are Node. */
export function nodeContestant(one: NodeContestant): Contestant {
  const { name, setUp, packages, bare } = one
  return {
    name,
    setUp,
    packages,
    ...(bare !== undefined && { bare }),
    start: (surroundings, processes = 1) => startNode(one, surroundings, processes),
  }
}

async function startNode(
  { file, variant, packages, signIn = '/login', backchannel = '' }: NodeContestant,
  surroundings: Surroundings,
  processes: number,
): Promise<Running> {
  const ports = await freePorts(processes)
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const [origin = ''] = urls
  const redis = variant.includes('redis') ? await surroundings.redis() : undefined
  const task: Omit<Task, 'port'> = {
    origin,
    provider: surroundings.provider,
    variant,
    ...(redis !== undefined && { redis }),
    ...(variant.includes('postgres') && { postgres: await surroundings.postgres() }),
  }
  const children = await Promise.all(ports.map((port) => startProcess(file, { ...task, port })))
  const [first] = children
  if (first === undefined) throw new TypeError('Not even one process.')

  const answer = async (cookie: string, process = 0): Promise<Answer | undefined> => {
    const headers = { cookie, accept: 'application/json' }
    const response = await fetch(`${urls[process]}${ROUTE}`, { headers, redirect: 'manual' })
    const text = await response.text()
    return response.status === 200 ? JSON.parse(text) : undefined
  }
  return {
    urls,
    answer,
    backchannel: `${origin}${backchannel}`,
    ...(redis !== undefined && { redis }),
    async cpu() {
      first.send('cpu')
      const [spent] = await once(first, 'message')
      return spent
    },
    async signIn(user) {
      const browser = openBrowser(user)
      if (typeof signIn === 'string') await browser.visit(`${origin}${signIn}`)
      else await signIn(browser, origin)
      return checked(answer, browser.cookie(`${origin}${ROUTE}`), user)
    },
    async populate(sessions) {
      first.send({ populate: sessions })
      await once(first, 'message')
    },
    ...(packages.includes('coatcheck') && {
      async settle() {
        first.send('settle')
        await once(first, 'message')
      },
    }),
    async close() {
      await Promise.all(
        children.map(async (child) => {
          const exit = once(child, 'exit')
          child.disconnect()
          await exit
        }),
      )
    },
  }
}

/** Nothing is measured that is not really signed in, as the right user, with a real token. */
export async function checked(
  answer: Running['answer'],
  cookie: string,
  user: string,
): Promise<string> {
  const found = await answer(cookie)
  if (found?.sub !== user || found.length < 500) {
    throw new Error(`${user} is not signed in: ${JSON.stringify(found)}`)
  }
  return cookie
}

async function startProcess(file: string, task: Task) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), {
    env: { ...process.env, NODE_ENV: 'production', [TASK]: JSON.stringify(task) },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code}.`)
  })
  const word = once(child, 'message')
  await Promise.race([word, gone])
  gone.catch(() => undefined)
  return child
}
