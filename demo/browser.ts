import { request as send } from 'node:http'

/** What came back, after redirects where they were followed. */
export interface Page {
  readonly status: number
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** How many cookies the last request carried. */
  readonly cookiesSent: number
  /** Each answer on the way: its status, and where it was asked for. */
  readonly hops: readonly string[]
}

/** How one request is made. */
export interface Asking {
  readonly method?: 'GET' | 'POST'
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Where the page is that asks. */
  readonly from?: string
  /** Stays at the first answer. */
  readonly stay?: boolean
}

/** A browser as far as cookies, redirects, forms and frames go. One of them is one person's. */
export interface Browser {
  /** Goes to a page. */
  open(url: string, asking?: Asking): Promise<Page>
  /** Presses a button of the form whose tag matches. */
  submit(page: Page, form: RegExp, fields?: Readonly<Record<string, string>>): Promise<Page>
  /** A script of the page asks: an answer as JSON is wanted, and a cookie is sent. */
  json(url: string): Promise<Page>
  /** A frame of another site: since third-party cookies are blocked, none is sent or kept. */
  frame(url: string, from: string): Promise<Page>
  /** The `Cookie` header it would send there. */
  cookies(url: string): string
}

interface Cookie {
  readonly host: string
  readonly path: string
  readonly name: string
  readonly value: string
}

export function browser(): Browser {
  let jar: readonly Cookie[] = []

  function cookies(url: string): string {
    const { hostname, pathname } = new URL(url)
    return jar
      .filter(({ host, path }) => host === hostname && within(pathname, path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  function keep(url: string, lines: readonly string[]): void {
    const { hostname } = new URL(url)
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/; ?/)
      const attribute = (name: string): string | undefined =>
        attributes.find((one) => one.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1)
      const [name = '', value = ''] = [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]
      const path = attribute('path') ?? '/'
      const ended =
        Number(attribute('max-age') ?? 1) <= 0 ||
        Date.parse(attribute('expires') ?? '9999-01-01') <= Date.now()
      jar = jar.filter((one) => one.host !== hostname || one.path !== path || one.name !== name)
      if (!ended) jar = [...jar, { host: hostname, path, name, value }]
    }
  }

  async function open(url: string, asking: Asking = {}): Promise<Page> {
    const hops: string[] = []
    let at = url
    let { method = 'GET', form } = asking
    for (;;) {
      const answer = await ask(at, {
        method,
        ...(form !== undefined && { form }),
        headers: { ...navigation(at, asking.from, method), cookie: cookies(at), ...asking.headers },
      })
      keep(at, (answer.headers['set-cookie'] as string[] | undefined) ?? [])
      hops.push(`${answer.status} ${shortly(at)}`)
      const { location } = answer.headers
      if (typeof location !== 'string' || asking.stay === true) return { ...answer, url: at, hops }
      at = new URL(location, at).href
      method = 'GET'
      form = undefined
    }
  }

  return {
    open,
    cookies,
    submit(page, form, fields = {}) {
      const found = formOf(page, form)
      return open(found.action, {
        method: 'POST',
        form: { ...found.fields, ...fields },
        from: page.url,
      })
    },
    json: (url) =>
      open(url, {
        headers: {
          accept: 'application/json',
          'sec-fetch-mode': 'cors',
          'sec-fetch-dest': 'empty',
        },
      }),
    async frame(url, from) {
      const headers = { ...navigation(url, from, 'GET'), 'sec-fetch-dest': 'iframe' }
      return { ...(await ask(url, { headers })), url, hops: [] }
    },
  }
}

/** One request, as it is. Every name ends at this machine. */
export function ask(
  url: string,
  { method = 'GET', form, headers = {} }: Omit<Asking, 'from' | 'stay'> = {},
): Promise<Omit<Page, 'url' | 'hops'>> {
  const { host, port, pathname, search } = new URL(url)
  const body = form === undefined ? undefined : new URLSearchParams(form).toString()
  const cookiesSent = (headers['cookie'] ?? '').split('; ').filter(Boolean).length
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  return new Promise((resolve, reject) => {
    const request = send(
      {
        host: '127.0.0.1',
        port,
        method,
        path: pathname + search,
        headers: { host, ...(body !== undefined && type), ...headers },
        agent: false,
      },
      async (answer) => {
        let text = ''
        for await (const chunk of answer.setEncoding('utf8')) text += chunk
        const { statusCode: status = 0, headers } = answer
        resolve({ status, headers, body: text, cookiesSent })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** The headers by which a browser says who asks and for what (Fetch Metadata). */
function navigation(url: string, from: string | undefined, method: string): Record<string, string> {
  const site = from === undefined ? 'none' : sameOrigin(url, from) ? 'same-origin' : 'cross-site'
  return {
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
    'sec-fetch-site': site,
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(method === 'POST' && from !== undefined && { origin: new URL(from).origin }),
  }
}

function formOf(
  page: Page,
  wanted: RegExp,
): { readonly action: string; readonly fields: Readonly<Record<string, string>> } {
  for (const [, tag = '', content = ''] of page.body.matchAll(
    /<form\b([^>]*)>([\s\S]*?)<\/form>/g,
  )) {
    if (!wanted.test(tag)) continue
    const fields = [...content.matchAll(/<input\b[^>]*>/g)].map(([input]) => [
      /name="([^"]*)"/.exec(input)?.[1] ?? '',
      /value="([^"]*)"/.exec(input)?.[1] ?? '',
    ])
    const action = /action="([^"]*)"/.exec(tag)?.[1] ?? ''
    return { action: new URL(action, page.url).href, fields: Object.fromEntries(fields) }
  }
  throw new Error(`There is no such form on ${shortly(page.url)} (status ${page.status}).`)
}

function within(path: string, of: string): boolean {
  return path === of || path.startsWith(of.endsWith('/') ? of : `${of}/`)
}

function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin
}

/** An address without what must not be shown: codes, states, hints. */
function shortly(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host.split('.')[0]}${pathname.replace(/[\w-]{20,}/, '…')}`
}
