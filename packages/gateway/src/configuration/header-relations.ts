import { foldedName } from '../guard/forged-headers.ts'
import { HEADERS } from './limits.ts'
import type { Refuse } from './mistake.ts'
import { at } from './tree.ts'

/**
 * Names of headers must differ from one another, and from those that HTTP and browsers live by, for
 * servers that fold names, too.
 */
export function headerRelations(tree: unknown, refuse: Refuse): void {
  const seen = new Map<string, { readonly setting: string; readonly name: string }>()
  for (const [setting, initial] of Object.entries(HEADERS)) {
    const name = String(at(tree, ['headers', setting]) ?? initial).toLowerCase()
    const folded = foldedName(name)
    const other = seen.get(folded)
    if (other !== undefined) {
      const same =
        other.name === name
          ? `headers.${other.setting} has this name too`
          : `headers.${other.setting} has the same letters and digits, by which many servers know a header`
      refuse(['headers', setting], `${same}: write another`)
    }
    if (RESERVED.has(folded) || OF_BROWSERS.test(name)) {
      refuse(
        ['headers', setting],
        'this header means something else to HTTP, browsers or the gateway: write another',
      )
    }
    seen.set(folded, { setting, name })
  }
}

/** What says how a message is to be read, or what a browser says of a request. */
const OF_BROWSERS = /^(?:accept|access.control|content|if|proxy|sec)[^a-z0-9]/

const RESERVED = new Set(
  [
    'accept',
    'authorization',
    'cache-control',
    'connection',
    'cookie',
    'date',
    'expect',
    'forwarded',
    'host',
    'http2-settings',
    'keep-alive',
    'origin',
    'range',
    'referer',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'user-agent',
    'via',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-prefix',
    'x-forwarded-proto',
    'x-real-ip',
    'x-requested-with',
  ].map(foldedName),
)
