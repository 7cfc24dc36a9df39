import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import {
  startBrowser,
  startProvider,
  type TestBrowser,
  type TestProvider,
} from '#coatcheck/testing/index'
import { root } from '../../scripts/run.mjs'

/** An example as its reader would run it, with a provider and the API it calls. */
export interface RunningExample {
  readonly origin: string
  readonly provider: TestProvider
  readonly browser: TestBrowser
  /** What the API saw in `Authorization`, by request. */
  readonly presented: string[]
}

/** Runs a file of `examples/` in a process of its own, against the built package. */
export async function runExample(
  t: TestContext,
  file: string,
  given: Readonly<Record<string, string>> = {},
): Promise<RunningExample> {
  const presented: string[] = []
  const api = createServer((request, response) => {
    presented.push(request.headers.authorization ?? 'nothing')
    response.setHeader('content-type', 'application/json').end('["a coat"]')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => api.close())

  const provider = await startProvider()
  t.after(() => provider.close())
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const client = provider.register({ client_id: 'app', origin })

  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-example-'))
  const example = fork(join(root, file), {
    cwd: folder,
    execArgv: ['--import', join(root, 'test/examples/elsewhere.ts')],
    env: {
      ...process.env,
      ORIGIN: origin,
      ISSUER: provider.issuer,
      CLIENT_ID: 'app',
      CLIENT_SECRET: client.client_secret ?? '',
      KEY: 'a key for examples of thirty-two bytes at least',
      PORT: String(port),
      API: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      ...given,
    },
  })
  t.after(async () => {
    if (example.exitCode === null) {
      example.kill()
      await once(example, 'exit')
    }
    await rm(folder, { recursive: true })
  })
  const ended = once(example, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${code} before it listened`)
  })
  await Promise.race([once(example, 'message'), ended])
  ended.catch(() => {})
  return { origin, provider, browser: startBrowser(), presented }
}

/** The origin has to be known before the example listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
