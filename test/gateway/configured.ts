import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AuthEvent, SignOutReceipt } from '#coatcheck'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { Environment } from '#gateway/configuration/environment'
import { loadConfiguration } from '#gateway/configuration/load'
import { type OpenedStore, openStore } from '#gateway/configuration/open'
import { type Gateway, startGateway } from '#gateway/server/start'
import { freePorts } from '../servers/ports.ts'
import { KEY, upstream } from './under-test.ts'

/** A gateway in this process as its file and environment say. */
export interface Configured {
  readonly origin: string
  /** Its configuration. */
  readonly file: string
  readonly gateway: Gateway
  readonly provider: TestProvider
  readonly opened: OpenedStore
  /** Of every sign-out so far. */
  receipts(): SignOutReceipt[]
  /** A browser in which this user has signed in. */
  signedIn(sub: string, claims?: Record<string, unknown>): Promise<TestBrowser>
  /** What the application sees of this browser; nothing where it is not signed in. */
  seen(browser: TestBrowser): Promise<Record<string, string> | undefined>
}

/** Starts one that ends with its test, with these lines at the end of its file. */
export async function configured(
  t: TestContext,
  lines: string,
  environment: Environment = {},
): Promise<Configured> {
  const [port = 0] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  const provider = await startProvider()
  t.after(() => provider.close())
  const client = provider.register({ client_id: 'app', origin })
  const app = await upstream(t)
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-configured-'))
  const file = join(folder, 'coatcheck.yaml')
  writeFileSync(
    file,
    `origin: ${origin}
provider: { issuer: "${provider.issuer}", clientId: app, clientSecret: ${client.client_secret} }
keys: ["${KEY}"]
listen: ${port}
upstream: ${app.url}
log: silent
${lines}`,
  )
  const configuration = loadConfiguration(file, environment)
  const events: AuthEvent[] = []
  const opened = await openStore(configuration.store)
  const gateway = await startGateway(configuration, {
    store: opened.store,
    observe: (event) => events.push(event),
  })
  t.after(async () => {
    await gateway.close()
    await opened.close()
    rmSync(folder, { recursive: true })
  })
  return {
    origin,
    file,
    gateway,
    provider,
    opened,
    receipts: () => events.flatMap((event) => (event.type === 'signed_out' ? event.receipt : [])),
    async signedIn(sub, claims = {}) {
      provider.user = { sub, claims }
      const browser = startBrowser()
      const page = await browser.get(`${origin}/`)
      if (page.status !== 200) throw new Error(`Not signed in: ${page.url} ${page.text}`)
      return browser
    },
    async seen(browser) {
      const page = await browser.get(`${origin}/`, { follow: false })
      return page.status === 200 ? JSON.parse(page.text).headers : undefined
    },
  }
}
