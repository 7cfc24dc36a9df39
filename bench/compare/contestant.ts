import { freePorts } from '../../test/servers/ports.ts'
import { startChild } from '../child.ts'
import type { ProviderAddress } from '../provider.ts'
import type { Planned } from '../scale/population.ts'
import { type Browser, openBrowser } from './browser.ts'
import { type Answer, ROUTE, TASK, type Task } from './task.ts'

/** What everything that is compared runs against. */
export interface Surroundings {
  readonly provider: ProviderAddress
  /** A Redis of its own. */
  redis(): Promise<string>
  /** A Postgres of its own. */
  postgres(): Promise<string>
  /** The folder for one CPU profile of each process. */
  readonly profile?: string | undefined
}

/** What may be missing on a machine: programs, the peers' packages, and what we compile. */
export type Need = 'apache' | 'redis' | 'postgres' | 'peers' | 'build'

/** Something that is compared: how it is called, started, and signed in to. */
export interface Contestant {
  readonly name: string
  /** The same route without any of it. */
  readonly bare?: string
  /** Of whose every answer is right: what it is, beside its version. */
  readonly setUp: string
  /** npm packages that it is made of; their versions are printed. */
  readonly packages: readonly string[]
  /** Without these it is left out. */
  readonly needs: readonly Need[]
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
  readonly populate?: (sessions: readonly Planned[]) => Promise<unknown>
  /** Resolves when it has done what it does after a logout was answered; who does nothing then has none. */
  readonly settle?: () => Promise<unknown>
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
  const { name, setUp, packages, bare, variant, file } = one
  const servers = (['redis', 'postgres'] as const).filter((server) => variant.includes(server))
  return {
    name,
    setUp,
    packages,
    needs: file.includes('/peers/') ? ['peers', ...servers] : servers,
    ...(bare !== undefined && { bare }),
    start: (surroundings, processes = 1) => startNode(one, surroundings, processes),
  }
}

async function startNode(
  { name, file, variant, packages, signIn = '/login', backchannel = '' }: NodeContestant,
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
  const children = await Promise.all(
    ports.map((port) =>
      startChild<string>(new URL(file, import.meta.url), {
        env: { NODE_ENV: 'production', [TASK]: JSON.stringify({ ...task, port }) },
        profile: {
          folder: surroundings.profile,
          name: `${name} ${port}`.replaceAll(/\W+/g, '-').replace(/^-/, ''),
        },
      }),
    ),
  )
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
    cpu: first.cpu,
    async signIn(user) {
      const browser = openBrowser(user)
      if (typeof signIn === 'string') await browser.visit(`${origin}${signIn}`)
      else await signIn(browser, origin)
      return checked(answer, browser.cookie(`${origin}${ROUTE}`), user)
    },
    async close() {
      await Promise.all(children.map((child) => child.close()))
    },
    ...(packages.includes('coatcheck') && {
      populate: (sessions: readonly Planned[]) => first.ask({ populate: sessions }),
      settle: () => first.ask('settle'),
    }),
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
