/** A form as it stands in a page. */
export interface PageForm {
  readonly action: URL
  readonly method: 'GET' | 'POST'
  readonly fields: URLSearchParams
  /** A script of the page sends it without being asked. */
  readonly automatic: boolean
}

/** The first form of a page, such as the provider's `form_post` page. */
export function readForm(html: string, base: string | URL): PageForm | undefined {
  const [, tag = '', inner = ''] = /<form\b([^>]*)>(.*?)<\/form>/is.exec(html) ?? []
  if (tag === '' && inner === '') return undefined
  const { action = '', method } = readAttributes(tag)
  const fields = new URLSearchParams()
  for (const [, input = ''] of inner.matchAll(/<(?:input|button)\b([^>]*)>/gi)) {
    const { name, value = '' } = readAttributes(input)
    if (name !== undefined) fields.append(name, value)
  }
  return {
    action: new URL(action, base),
    method: method?.toLowerCase() === 'post' ? 'POST' : 'GET',
    fields,
    automatic: /\.submit\(\)/.test(html),
  }
}

/** Where the frames of a page point. */
export function readFrames(html: string, base: string | URL): URL[] {
  return [...html.matchAll(/<iframe\b([^>]*)>/gi)].flatMap(([, tag = '']) => {
    const { src } = readAttributes(tag)
    return src === undefined ? [] : [new URL(src, base)]
  })
}

/** Where a page of the test provider goes when its frames have loaded. */
export function readContinuation(html: string): URL | undefined {
  const [tag = ''] = /<main\b[^>]*>/i.exec(html) ?? []
  const next = readAttributes(tag)['data-continue']
  return next === undefined ? undefined : new URL(next)
}

function readAttributes(tag: string): { [name: string]: string | undefined } {
  const attributes: { [name: string]: string | undefined } = {}
  for (const [, name = '', double, single, bare] of tag.matchAll(
    /([\w-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  )) {
    attributes[name.toLowerCase()] = unescapeHtml(double ?? single ?? bare ?? '')
  }
  return attributes
}

function unescapeHtml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
  return text.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (entity, hex, decimal, name) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16))
    if (decimal) return String.fromCodePoint(Number(decimal))
    return named[name] ?? entity
  })
}
