import { type Cookie, createCookieJar } from './browser/cookies.ts'
import { type PageForm, readContinuation, readForm, readFrames } from './browser/html.ts'
import { loopbackFetch } from './loopback.ts'

/** How a browser is set up. All of it may stay away. */
export interface TestBrowserOptions {
  /**
   * Servers without a socket, by origin: `{ 'https://app.example': (request) =>
   * auth.handle(request), [provider.issuer]: provider.fetch }`.
   */
  readonly origins?: Readonly<Record<string, (request: Request) => Response | Promise<Response>>>
  /** Where a host name is found, such as `() => '127.0.0.1'`; nothing = as usual. */
  readonly resolve?: (hostname: string) => string | undefined
  /** Lets frames of other sites have their `SameSite=None` cookies. Default `false`. */
  readonly thirdPartyCookies?: boolean
  /** For the expiry of cookies. Default `Date.now`. */
  readonly now?: () => number
}

/** How one page is visited. */
export interface VisitOptions {
  /** Go on by redirects, self-submitting forms and frames. Default `true`. */
  readonly follow?: boolean
  /** URL of the page the visit starts from. Default: the address bar. */
  readonly from?: string | URL
  readonly headers?: Readonly<Record<string, string>>
}

/** What the browser shows. */
export interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The first form of the page. */
  readonly form: PageForm | undefined
}

/** One line of {@link TestBrowser.history}. */
export interface Visit {
  readonly method: string
  readonly url: string
  readonly status: number
  /** It was a frame of the page before. */
  readonly framed: boolean
}

/** A browser as far as sign-in and sign-out see one: cookies, redirects, forms, frames. */
export interface TestBrowser {
  /** Opens a URL as if typed, or from a page. */
  get(url: string | URL, options?: VisitOptions): Promise<Page>
  /** Sends a form. Without `from` it comes from a page of the same origin. */
  post(
    url: string | URL,
    fields?: URLSearchParams | Readonly<Record<string, string>>,
    options?: VisitOptions,
  ): Promise<Page>
  /** Sends the form of a page, with these fields added. */
  submit(page: Page, fields?: Readonly<Record<string, string>>): Promise<Page>
  /** One step on from a page: its redirect, its self-submitting form, its frames and what follows. */
  follow(page: Page): Promise<Page | undefined>
  /** Every request, frames included. */
  readonly history: readonly Visit[]
  /** All living cookies. */
  readonly cookies: readonly Cookie[]
  /** What a top-level request to a URL would carry, to be replayed by a thief. */
  cookieHeader(url: string | URL): string
  clearCookies(): void
}

/** Opens a browser without any cookie. Nothing needs to be closed. */
export function startBrowser(options: TestBrowserOptions = {}): TestBrowser {
  const jar = createCookieJar(options.now ?? Date.now, options.thirdPartyCookies ?? false)
  const history: Visit[] = []

  const visit = async (step: Step): Promise<Page> => {
    const { url, method, framed } = step
    const crossSite = step.from !== undefined && siteOf(step.from) !== siteOf(url)
    const cookie = jar.header({ url, method, framed, crossSite })
    const response = await send(options, step, {
      ...fetchMetadata(step),
      ...step.headers,
      ...(cookie === '' ? {} : { cookie }),
    })
    for (const header of response.headers.getSetCookie()) {
      jar.set(header, { url, method, framed, crossSite })
    }
    history.push({ method, url: url.href, status: response.status, framed })
    const text = await response.text()
    const page: Page = {
      url,
      status: response.status,
      headers: response.headers,
      text,
      form: isHtml(response.headers) ? readForm(text, url) : undefined,
    }
    steps.set(page, step)
    return page
  }

  // A page does not tell how it was reached, but where it leads depends on it.
  const steps = new WeakMap<Page, Step>()

  const follow = async (page: Page): Promise<Page | undefined> => {
    const step = steps.get(page)
    if (!step) throw new TypeError('This page was not opened by this browser')
    const redirected = redirectOf(page, step)
    if (redirected) return visit(redirected)
    if (!isHtml(page.headers)) return undefined
    if (page.form?.automatic) return visit(submission(page, page.form, page.form.fields))
    for (const url of readFrames(page.text, page.url)) {
      await settle(await visit({ url, method: 'GET', from: page.url, framed: true }))
    }
    const next = readContinuation(page.text)
    return next && visit({ url: next, method: 'GET', from: page.url, framed: false })
  }

  const settle = async (page: Page): Promise<Page> => {
    let last = page
    for (let hops = 0; hops < 20; hops++) {
      const next = await follow(last)
      if (!next) return last
      last = next
    }
    throw new Error(`Too many redirects, the last from ${last.url.origin}${last.url.pathname}`)
  }

  const go = async (step: Step, options: VisitOptions): Promise<Page> => {
    const page = await visit({ ...step, headers: options.headers ?? {} })
    return options.follow === false ? page : settle(page)
  }

  return {
    get: (url, options = {}) =>
      go({ url: new URL(url), method: 'GET', from: urlOf(options.from), framed: false }, options),
    post: (target, fields = {}, options = {}) => {
      const url = new URL(target)
      const from = urlOf(options.from) ?? new URL('/', url)
      const body = new URLSearchParams(fields)
      return go({ url, method: 'POST', from, body, framed: false }, options)
    },
    submit: (page, fields = {}) => {
      if (!page.form) throw new TypeError('This page has no form')
      const all = new URLSearchParams([...page.form.fields, ...Object.entries(fields)])
      return go(submission(page, page.form, all), {})
    },
    follow,
    history,
    get cookies() {
      return jar.all
    },
    cookieHeader: (url) =>
      jar.header({ url: new URL(url), method: 'GET', crossSite: false, framed: false }),
    clearCookies: () => jar.clear(),
  }
}

/** One request about to be made. */
interface Step {
  readonly url: URL
  readonly method: string
  /** The page that causes it; none = the address bar. */
  readonly from: URL | undefined
  readonly body?: URLSearchParams
  readonly framed: boolean
  /** The redirects that led here. */
  readonly through?: readonly URL[]
  /** The page asked not to be named, so a form of it has no origin (Fetch section 3.1). */
  readonly anonymous?: boolean
  readonly headers?: Readonly<Record<string, string>>
}

function submission(page: Page, form: PageForm, fields: URLSearchParams): Step {
  const step = { from: page.url, method: form.method, framed: false }
  const anonymous = page.headers.get('referrer-policy') === 'no-referrer'
  if (form.method === 'POST') return { ...step, url: form.action, body: fields, anonymous }
  const url = new URL(form.action)
  url.search = fields.toString()
  return { ...step, url }
}

function redirectOf(page: Page, step: Step): Step | undefined {
  const location = page.headers.get('location')
  if (location === null || ![301, 302, 303, 307, 308].includes(page.status)) return undefined
  const { from, framed, method, body } = step
  const through = [...(step.through ?? []), step.url]
  const next = { url: new URL(location, page.url), from, framed, through }
  if (page.status === 307 || page.status === 308) {
    return { ...next, method, ...(body ? { body, anonymous: true } : {}) }
  }
  return { ...next, method: 'GET' }
}

/** What a browser tells about a request by itself (Fetch Metadata). */
function fetchMetadata(step: Step): Record<string, string> {
  const { from, method, framed, anonymous = false } = step
  const origin = anonymous || !from ? 'null' : from.origin
  return {
    accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
    'sec-fetch-site': from ? relation(from, [...(step.through ?? []), step.url]) : 'none',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': framed ? 'iframe' : 'document',
    ...(method === 'POST' ? { origin } : {}),
  }
}

/** The farthest of all hops counts. */
function relation(from: URL, hops: readonly URL[]): string {
  if (hops.some((url) => siteOf(url) !== siteOf(from))) return 'cross-site'
  return hops.every((url) => url.origin === from.origin) ? 'same-origin' : 'same-site'
}

async function send(
  { origins = {}, resolve }: TestBrowserOptions,
  { url, method, body }: Step,
  headers: Record<string, string>,
): Promise<Response> {
  const init: RequestInit = {
    method,
    headers: body ? { ...headers, 'content-type': 'application/x-www-form-urlencoded' } : headers,
    ...(body ? { body: body.toString() } : {}),
    redirect: 'manual',
  }
  const inProcess = origins[url.origin]
  if (inProcess) return inProcess(new Request(url, init))
  return loopbackFetch(url, init, resolve)
}

/** What browsers take for one site: `a.lab.localhost` and `b.lab.localhost` are of one. */
function siteOf({ protocol, hostname }: URL): string {
  const isAddress = /^[\d.]+$|^\[/.test(hostname)
  return `${protocol}//${isAddress ? hostname : hostname.split('.').slice(-2).join('.')}`
}

function isHtml(headers: Headers): boolean {
  return headers.get('content-type')?.includes('html') ?? false
}

function urlOf(url: string | URL | undefined): URL | undefined {
  return url === undefined ? undefined : new URL(url)
}
