import { createHash } from 'node:crypto'

/** The one look of every page of ours; allowed by its hash, so no other style gets in. */
const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:30rem;margin:18vh auto 0;padding:0 1.5rem;color:#1d2433;background:#fff}h1{font-size:1.4rem;margin:0 0 .5rem}a,button{font:inherit;color:#0b57d0}button{color:#fff;background:#0b57d0;border:0;border-radius:.4rem;padding:.55rem 1.1rem;cursor:pointer}@media(prefers-color-scheme:dark){body{color:#e6e9f0;background:#14171f}a{color:#8ab4f8}}`
const SUBMIT = 'document.forms[0].submit()'

/** A small page of ours. `body` is markup of our own making; whatever comes from outside is escaped. */
export interface Page {
  readonly title: string
  readonly body: string
  readonly status?: number
  /** Where its form may lead, redirects of the submission included. */
  readonly formAction?: readonly string[]
  /** Its form submits itself. */
  readonly submits?: boolean
  /** Origins that may show it in a frame; nobody otherwise. */
  readonly framedBy?: readonly string[]
  readonly cookies?: readonly string[]
}

/** The page as a response: never cached, inert, framed by nobody unless told otherwise. */
export function toPage(page: Page): Response {
  const { title, body, status = 200, formAction = [], submits = false, framedBy = [] } = page
  const policy = [
    `default-src 'none'`,
    `style-src '${hashOf(STYLE)}'`,
    `base-uri 'none'`,
    `form-action ${formAction.length > 0 ? formAction.join(' ') : `'none'`}`,
    `frame-ancestors ${framedBy.length > 0 ? framedBy.join(' ') : `'none'`}`,
    ...(submits ? [`script-src '${hashOf(SUBMIT)}'`] : []),
  ]
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  if (framedBy.length > 0) headers.set('cross-origin-resource-policy', 'cross-origin')
  for (const cookie of page.cookies ?? []) headers.append('set-cookie', cookie)
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style>`
  const script = submits ? `<script>${SUBMIT}</script>` : ''
  const text = `<!doctype html><html lang="en"><head>${head}</head><body><h1>${escapeHtml(title)}</h1>${body}${script}</body></html>`
  return new Response(text, { status, headers })
}

/** Text that is inert in markup and in attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A form that posts these fields, with one button. */
export function formOf(
  action: string,
  fields: Readonly<Record<string, string>>,
  button: string,
): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) =>
      `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  )
  return `<form method="post" action="${escapeHtml(action)}">${inputs.join('')}<button>${escapeHtml(button)}</button></form>`
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
