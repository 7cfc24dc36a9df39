import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { open } from 'lmdb'
import { parse, stringify } from 'yaml'
import {
  findRemains,
  lmdbContents,
  type Remains,
  startProvider,
  type TestProvider,
} from '#coatcheck/testing/index'
import { createApi } from '../../examples/gateway/api.ts'
import { root } from '../../scripts/run.mjs'
import { freePorts } from '../servers/ports.ts'
import { type ProgramServer, startProgram } from '../servers/program.ts'
import type { Closable } from '../servers/workplace.ts'

/** An application of `examples/gateway`. */
export interface ExampleApplication {
  /** As `coatcheck.yaml` calls it. */
  readonly name: string
  /** Starts its process, which finds the gateway and the API by these variables. */
  start(env: Readonly<Record<string, string>>): Promise<ProgramServer & Closable>
}

/** The gateway's command in a process of its own, before one of the example applications. */
export interface BehindTheGateway {
  readonly origin: string
  readonly provider: TestProvider
  readonly gateway: ProgramServer
  readonly application: ProgramServer
  /** Access tokens that the API was shown and took. */
  readonly presented: string[]
  /** Looks through the bytes of the store for what is left of this user, and for these texts. */
  remainsOf(subject: string, texts: readonly string[]): Promise<Remains>
}

/**
 * Starts all of it as the README of the examples does, with the configuration that is there: only
 * addresses are others, and of the applications with a process of their own only this one.
 */
export async function behindTheGateway(
  t: TestContext,
  { name, start }: ExampleApplication,
): Promise<BehindTheGateway> {
  const [port = 0, tokenPort = 0] = await freePorts(2)
  const origin = `http://127.0.0.1:${port}`
  const example = await readExample()
  const { clientId: client_id, clientSecret: client_secret } = example.provider
  const provider = await startProvider({ clients: [{ client_id, client_secret, origin }] })
  t.after(() => provider.close())

  const presented: string[] = []
  const api = createApi((accessToken) => {
    const isValid = provider.introspect(accessToken) !== undefined
    if (isValid) presented.push(accessToken)
    return isValid
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => {
    api.closeAllConnections()
    api.close()
  })
  const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`

  const tokens = `http://127.0.0.1:${tokenPort}`
  const application = await start({ GATEWAY: origin, TOKENS: tokens, API: apiUrl })
  t.after(() => application.close())

  const upstreams: Record<string, string> = { api: apiUrl, [name]: application.url }
  const configuration = {
    ...example,
    origin,
    listen: port,
    provider: { ...example.provider, issuer: provider.issuer },
    tokenEndpoint: tokenPort,
    applications: example.applications
      .filter((one) => one.name in upstreams)
      .map((one) => moved(one, upstreams[one.name] ?? '')),
  }
  const file = join(application.folder, 'coatcheck.yaml')
  await writeFile(file, stringify(configuration))
  const store = join(application.folder, example.store)
  const gateway = await startProgram({
    name: 'coatcheck',
    port,
    command: [process.execPath, COMMAND, 'gateway', '--config', file],
  })
  t.after(() => gateway.close())

  return {
    origin,
    provider,
    gateway,
    application,
    presented,
    async remainsOf(subject, texts) {
      const database = open({ path: store, readOnly: true })
      try {
        return await findRemains({
          contents: lmdbContents(database),
          keys: example.keys,
          issuer: provider.issuer,
          clientId: client_id,
          identities: [{ subject }],
          texts,
        })
      } finally {
        await database.close()
      }
    },
  }
}

const COMMAND = join(root, 'node_modules/.bin/coatcheck')

/** What of `coatcheck.yaml` is looked at here. */
interface Example {
  readonly provider: { readonly clientId: string; readonly clientSecret: string }
  readonly keys: readonly string[]
  /** A folder beside the file. */
  readonly store: string
  readonly applications: readonly ExampleEntry[]
}

interface ExampleEntry {
  readonly name: string
  readonly backchannelLogoutUri?: string
}

async function readExample(): Promise<Example> {
  return parse(await readFile(join(root, 'examples/gateway/coatcheck.yaml'), 'utf8'))
}

/** The same application, listening there. */
function moved(entry: ExampleEntry, upstream: string): ExampleEntry & { upstream: string } {
  const { backchannelLogoutUri: uri } = entry
  if (uri === undefined) return { ...entry, upstream }
  return { ...entry, upstream, backchannelLogoutUri: upstream + new URL(uri).pathname }
}
