/** As much of a browser as a sign-in needs: cookies of their own for each origin, and redirects. */
export interface Browser {
  /** Goes where a URL leads, through all redirects, and answers the last page. */
  visit(url: string, init?: RequestInit): Promise<Page>
  /** The cookies for a URL, as a request carries them. */
  cookie(url: string): string
}

/** Where a visit ended. */
export interface Page {
  readonly url: string
  readonly status: number
  readonly text: string
}

/** Opens one for a user, whom it names to every provider that asks. */
export function openBrowser(user: string): Browser {
  // Ports do not separate cookies in real browsers; here all applications share one host.
  const jars = new Map<string, Map<string, { readonly path: string; readonly value: string }>>()

  const cookie = (url: string): string => {
    const { origin, pathname } = new URL(url)
    const fitting = [...(jars.get(origin) ?? [])].filter(([, { path }]) =>
      `${pathname}/`.startsWith(path.endsWith('/') ? path : `${path}/`),
    )
    return fitting.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }

  const keep = (url: string, header: string): void => {
    const { origin } = new URL(url)
    const jar = jars.get(origin) ?? new Map()
    jars.set(origin, jar)
    const [pair = '', ...attributes] = header.split(/; */)
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(name.length + 1)
    const said = new Map(
      attributes.map((attribute) => {
        const [key = '', ...rest] = attribute.split('=')
        return [key.toLowerCase(), rest.join('=')]
      }),
    )
    const over = Date.parse(said.get('expires') ?? '') <= Date.now()
    if (said.get('max-age') === '0' || over) jar.delete(name)
    else jar.set(name, { path: said.get('path') || '/', value })
  }

  return {
    cookie,
    async visit(start, init = {}) {
      let url = start
      let request = init
      for (let hops = 0; hops < 20; hops++) {
        const headers = new Headers(request.headers)
        headers.set('cookie', cookie(url))
        headers.set('x-user', user)
        if (!headers.has('accept')) headers.set('accept', 'text/html')
        const response = await fetch(url, { ...request, headers, redirect: 'manual' })
        for (const header of response.headers.getSetCookie()) keep(url, header)
        const text = await response.text()
        const location = response.headers.get('location')
        if (location === null || response.status < 300 || response.status > 399) {
          return { url, status: response.status, text }
        }
        // MSAL knows providers by https only.
        const next = new URL(location, url)
        url = next.hostname === '127.0.0.1' ? next.href.replace(/^https:/, 'http:') : next.href
        request = {}
      }
      throw new Error(`Too many redirects from ${start}`)
    },
  }
}
