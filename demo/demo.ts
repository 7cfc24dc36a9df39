import './localhost.ts'
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { api } from './api.ts'
import type { FromA, StartA } from './app-a.ts'
import { applicationB } from './app-b.ts'
import type { ApplicationOptions } from './application.ts'
import { balancer } from './balancer.ts'
import { bound, closed, listen, portOf } from './ports.ts'
import { type DemoProvider, demoProvider, type Registration } from './provider.ts'

/** The demo while it runs. */
export interface Demo {
  readonly origins: Readonly<Record<'provider' | 'a' | 'b' | 'api', string>>
  /** The two processes of A, by themselves. */
  readonly direct: readonly { readonly origin: string; readonly pid: number }[]
  readonly provider: DemoProvider
  /** Where the processes of A share what they keep. */
  readonly folder: string
  /** The provider goes out of reach; the answer brings it back. */
  stopProvider(): Promise<() => Promise<void>>
  /** Ends every server and process, and removes the folder. Tells how the processes ended. */
  stop(): Promise<readonly (number | string)[]>
}

/** Secrets that the provider and an application share. */
export interface Client {
  readonly id: string
  readonly secret: string
}

/**
 * Starts the provider, the API, both processes of A behind their balancer, and B. Uses six ports
 * from `firstPort` on, or any that are free. Rejects, with nothing left running, where one is taken.
 */
export async function startDemo({ firstPort }: { firstPort?: number } = {}): Promise<Demo> {
  const servers = await listen(
    [
      'the provider',
      'application A',
      'application B',
      'the API',
      'A, process 1',
      'A, process 2',
    ].map((who, at) => ({ who, port: firstPort === undefined ? 0 : firstPort + at })),
  )
  const [provider, a, b, apiServer, ...forProcesses] = servers as [Server, Server, Server, Server]
  const at = (name: string, server: Server): string => `http://${name}.localhost:${portOf(server)}`
  const origins = {
    provider: at('op', provider),
    a: at('a', a),
    b: at('b', b),
    api: at('api', apiServer),
  }
  const ports = forProcesses.map(portOf)
  await Promise.all(forProcesses.map(closed))

  const resource = `${origins.api}/coats`
  const registrations = [
    registration('app-a', origins.a),
    registration('app-b', origins.b),
  ] as const
  const op = demoProvider(origins.provider, registrations, resource)
  provider.on('request', op.handle)
  apiServer.on('request', api({ issuer: op.issuer, jwksUri: `${op.issuer}/jwks`, resource }))

  const shared = { issuer: op.issuer, resource }
  const links = [
    { name: 'Application A', url: origins.a },
    { name: 'Application B', url: origins.b },
    { name: 'Provider', url: origins.provider },
  ]
  const appB = applicationB({
    ...shared,
    ...asClient(registrations[1], origins.b),
    site: { name: 'Application B', subtitle: 'Hono, one process, tokens in memory', hue: 320 },
    links: links.filter(({ url }) => url !== origins.b),
    processName: 'B',
    panels: ['/panel'],
    ownPanel: 0,
  })
  b.on('request', appB.handle)

  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-demo-'))
  const optionsA = {
    ...shared,
    ...asClient(registrations[0], origins.a),
    site: { name: 'Application A', subtitle: 'Express, two processes, tokens in LMDB', hue: 170 },
    links: links.filter(({ url }) => url !== origins.a),
    panels: ['/process/1/panel', '/process/2/panel'],
    folder,
  }
  const children = ports.map((port, ownPanel) =>
    startA({ ...optionsA, port, ownPanel, processName: `A, process ${ownPanel + 1}` }),
  )

  async function stop(): Promise<readonly (number | string)[]> {
    const ended = await Promise.all(children.map(({ child }) => endChild(child)))
    await appB.close()
    await Promise.all([provider, a, b, apiServer].map(closed))
    await rm(folder, { recursive: true, force: true })
    return ended
  }

  try {
    const reached = await Promise.all(children.map(({ ready }) => ready))
    a.on('request', balancer(reached))
    return {
      origins,
      direct: children.map(({ child }, at) => ({
        origin: `http://a.localhost:${reached[at]}`,
        pid: child.pid ?? 0,
      })),
      provider: op,
      folder,
      async stopProvider() {
        const port = portOf(provider)
        await closed(provider)
        return () => bound(provider, port)
      },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What the provider has to know of an application. */
function registration(id: 'app-a' | 'app-b', origin: string): Registration {
  const frontChannel = {
    frontchannel_logout_uri: `${origin}/auth/frontchannel-logout`,
    frontchannel_logout_session_required: true,
  }
  const backChannel = {
    backchannel_logout_uri: `${origin}/auth/backchannel-logout`,
    backchannel_logout_session_required: true,
  }
  return {
    client_id: id,
    client_name: id === 'app-a' ? 'Application A' : 'Application B',
    client_secret: randomBytes(24).toString('base64url'),
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [`${origin}/auth/callback`],
    post_logout_redirect_uris: [`${origin}/auth/signed-out`],
    // One of each kind: A is told server to server, B in the user's browser.
    ...(id === 'app-a' ? backChannel : frontChannel),
  }
}

function asClient(
  { client_id, client_secret }: Registration,
  origin: string,
): Pick<ApplicationOptions, 'origin' | 'clientId' | 'clientSecret' | 'keys'> {
  const keys = [randomBytes(32).toString('base64')]
  return { origin, clientId: client_id, clientSecret: client_secret, keys }
}

function startA(start: StartA): { readonly child: ChildProcess; readonly ready: Promise<number> } {
  const child = fork(new URL('./app-a.ts', import.meta.url), {
    execArgv: [],
    // What it prints is for people: the standard output of `--once` is for lines of JSON only.
    stdio: ['ignore', 2, 2, 'ipc'],
  })
  child.send(start)
  const ready = new Promise<number>((resolve, reject) => {
    const failed = (why: unknown): void => reject(new Error(`${start.processName}: ${why}`))
    child.once('message', (message: FromA) =>
      message.type === 'ready' ? resolve(message.port) : failed(message.why),
    )
    child.once('exit', (code, signal) => failed(`it ended (${code ?? signal})`))
    child.once('error', failed)
  })
  return { child, ready }
}

async function endChild(child: ChildProcess): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    const late = setTimeout(() => child.kill('SIGKILL'), 5000)
    if (child.connected) child.send('stop')
    await ended
    clearTimeout(late)
  }
  return child.exitCode ?? child.signalCode ?? 'unknown'
}
