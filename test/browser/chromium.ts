import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core'

/** Debian's Chromium. Without it every test here fails: none passes by not running. */
const executablePath = '/usr/bin/chromium'

const quiet = ['background-networking', 'component-update', 'sync', 'gpu', 'quic']
const launch: LaunchOptions = {
  executablePath,
  args: ['--no-sandbox', '--no-first-run', ...quiet.map((what) => `--disable-${what}`)],
  // Playwright turns it off; the people who press Back have it.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
}

/** A running Chromium. */
export interface Chromium {
  /** Somebody with a browser of their own: no cookies, nothing remembered. */
  visitor(t: TestContext): Promise<Visitor>
  close(): Promise<void>
}

/** Somebody at a browser. When the test ends, the consoles must have been silent. */
export interface Visitor {
  readonly context: BrowserContext
  readonly page: Page
  /** The names of the cookies this browser would send there. */
  cookieNames(origin: string): Promise<string[]>
  /** What the console must have said at least once by the end; anything else it says is a failure. */
  readonly expected: RegExp[]
}

/** Starts Chromium as it comes, which blocks third-party cookies. */
export async function startChromium(): Promise<Chromium> {
  const browser = await chromium.launch(launch)
  return {
    async visitor(t) {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      return visit(t, context)
    },
    close: () => browser.close(),
  }
}

/** One person whose Chromium still allows third-party cookies, by a setting of the profile. */
export async function visitorWithThirdPartyCookies(t: TestContext): Promise<Visitor> {
  const profile = await mkdtemp(join(tmpdir(), 'coatcheck-chromium-'))
  await mkdir(join(profile, 'Default'))
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } }
  await writeFile(join(profile, 'Default', 'Preferences'), JSON.stringify(preferences))
  const visitor = await visit(t, await chromium.launchPersistentContext(profile, launch))
  t.after(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  return visitor
}

async function visit(t: TestContext, context: BrowserContext): Promise<Visitor> {
  const complaints: string[] = []
  const expected: RegExp[] = []
  t.after(async () => {
    await context.close()
    const unexpected = complaints.filter((text) => !expected.some((wanted) => wanted.test(text)))
    assert.deepEqual(unexpected, [], 'the console of a page has complaints')
    const missing = expected.filter((wanted) => !complaints.some((text) => wanted.test(text)))
    assert.deepEqual(missing, [], 'the console of a page should have complained')
  })
  context.setDefaultTimeout(20_000)
  // Violations of a content security policy come as errors of the console.
  context.on('console', (message) => {
    const url = message.location().url.split('?', 1)[0] ?? ''
    // Not every page of a test has an icon.
    if (!['error', 'warning'].includes(message.type()) || url.endsWith('/favicon.ico')) return
    complaints.push(`${message.text()} (${url})`)
  })
  context.on('weberror', (event) => complaints.push(String(event.error())))
  return {
    context,
    page: await context.newPage(),
    expected,
    cookieNames: async (origin) => (await context.cookies(origin)).map(({ name }) => name),
  }
}
