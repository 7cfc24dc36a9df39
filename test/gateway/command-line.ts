import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { run } from '#gateway/command/run'
import { root } from '../../scripts/run.mjs'
import { freePorts } from '../servers/ports.ts'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A gateway in a process of its own. */
export interface GatewayProcess {
  /** Everything it logged so far. */
  readonly log: () => string
  /** Resolves when it has logged this message so many times in all. */
  logged(message: string, times?: number): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly ended: Promise<Ended>
}

/** A folder with a configuration in it, a provider, an application, and the compiled command. */
export interface Deployment {
  readonly folder: string
  readonly file: string
  readonly origin: string
  readonly provider: TestProvider
  /** A request to `/slow` that the application has and does not answer until it is let go. */
  readonly slow: { readonly arrived: Promise<void>; readonly release: () => void }
  /** Writes the configuration anew, with these lines at its end. */
  configure(lines: string): void
  /** Changes what is written in the configuration. */
  replace(what: RegExp, by: string): void
  /** Runs `coatcheck` to its end. */
  coatcheck(...args: string[]): Promise<Ended>
  /** The same within this process, which is quicker. */
  run(...args: string[]): Promise<Ended>
  /** The same, with somebody there who answers every question so; what was asked is in `err`. */
  answering(answer: boolean, ...args: string[]): Promise<Ended>
  /** Starts `coatcheck gateway`, with these variables too, and comes back when it listens. */
  gateway(environment?: Readonly<Record<string, string>>): Promise<GatewayProcess>
  /** A browser in which this user has signed in through the gateway. */
  signedIn(sub: string): Promise<TestBrowser>
  close(): Promise<void>
}

export const KEY = 'a key for tests of thirty-two bytes at least'
const command = join(root, 'packages/gateway/bin/coatcheck.mjs')

/** Makes one. `store` as it is written in the file. */
export async function deploy(store = './sessions'): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-command-'))
  const file = join(folder, 'coatcheck.yaml')
  const provider = await startProvider()
  const { upstream, slow } = await startUpstream()
  const [port = 0] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  const client = provider.register({ client_id: 'app', origin })
  const children = new Set<ChildProcess>()

  function configure(lines: string): void {
    const { port: upstreamPort } = upstream.address() as AddressInfo
    writeFileSync(
      file,
      [
        `origin: ${origin}`,
        `provider: { issuer: "${provider.issuer}", clientId: app, clientSecret: ${client.client_secret} }`,
        `keys: ["${KEY}"]`,
        `listen: ${port}`,
        `upstream: http://127.0.0.1:${upstreamPort}`,
        `store: ${store}`,
        lines,
      ].join('\n'),
    )
  }

  function start(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): { child: ChildProcess; ended: Promise<Ended>; out(): string } {
    const child = spawn(process.execPath, [command, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.add(child)
    let [out, err] = ['', '']
    child.stdout?.on('data', (text) => {
      out += text
    })
    child.stderr?.on('data', (text) => {
      err += text
    })
    const ended = new Promise<Ended>((resolve) => {
      child.once('close', (code) => {
        children.delete(child)
        resolve({ code, out, err })
      })
    })
    return { child, ended, out: () => out }
  }

  configure('')
  return {
    folder,
    file,
    origin,
    provider,
    slow,
    configure,
    replace: (what, by) => {
      writeFileSync(file, readFileSync(file, 'utf8').replace(what, by))
    },
    coatcheck: (...args) => start(args).ended,

    run: (...args) => runHere(file, undefined, args),
    answering: (answer, ...args) => runHere(file, answer, args),

    async gateway(environment) {
      const { child, ended, out } = start(['gateway', '--config', file], environment)
      const logged = (message: string, times = 1): Promise<void> =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (out().split(`"message":"${message}"`).length > times) resolve()
          }
          child.stdout?.on('data', look)
          void ended.then(({ err }) => reject(new Error(`The gateway ended: ${out()}${err}`)))
          look()
        })
      await logged('listening')
      return { log: out, logged, ended, signal: (name) => void child.kill(name) }
    },

    async signedIn(sub) {
      provider.user = { sub }
      const browser = startBrowser()
      const page = await browser.get(`${origin}/`)
      if (page.text !== 'the application')
        throw new Error(`Not signed in: ${page.url} ${page.text}`)
      return browser
    },

    async close() {
      for (const child of children) child.kill('SIGKILL')
      upstream.closeAllConnections()
      upstream.close()
      await provider.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function runHere(
  file: string,
  answer: boolean | undefined,
  args: readonly string[],
): Promise<Ended> {
  const said = { out: '', err: '' }
  const complain = (text: string): void => {
    said.err += `${text}\n`
  }
  const terminal = {
    isAttended: answer !== undefined,
    print: (text: string) => {
      said.out += `${text}\n`
    },
    complain,
    async confirm(question: string) {
      complain(question)
      return answer ?? false
    },
  }
  const code = await run(args, terminal, { COATCHECK_CONFIG: file })
  return { code, ...said }
}

async function startUpstream(): Promise<{ upstream: Server; slow: Deployment['slow'] }> {
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const upstream = createServer(async (request, response) => {
    if (request.url === '/slow') {
      arrived.resolve()
      await released.promise
    }
    response.end('the application')
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  return { upstream, slow: { arrived: arrived.promise, release: released.resolve } }
}
