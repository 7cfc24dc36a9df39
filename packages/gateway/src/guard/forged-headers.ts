/** Says of a request header whether it has to stay outside. */
export type ForgedHeaders = (name: string) => boolean

/**
 * Recognizes what only the gateway may tell an application: the identity headers under their
 * configured names and under those other proxies use, and everything about where a request came
 * from. Servers fold names: CGI, WSGI and PHP make `_` of every character that is no letter or
 * digit, so a name is compared by its letters and digits alone (RFC 3875 section 4.1.18). So are
 * the names that HTTP itself lives by, which as they should be written are none of these.
 */
export function forgedHeaders(configured: readonly string[]): ForgedHeaders {
  const names = new Set([...configured, ...NAMES].map(foldedName))
  const families = FAMILIES.map(foldedName)
  const foldedOwn = new Set([...HTTPS_OWN].map(foldedName))
  /** Browsers use a few dozen names over and over. */
  const known = new Map<string, boolean>()

  function judge(name: string): boolean {
    const isPlain = HTTPS_OWN.has(name.toLowerCase())
    for (const folded of foldings(name)) {
      if (!isPlain && foldedOwn.has(folded)) return true
      if (names.has(folded) || families.some((family) => folded.startsWith(family))) return true
    }
    return false
  }

  return (name) => {
    const before = known.get(name)
    if (before !== undefined) return before
    const verdict = judge(name)
    // A stranger's made-up names must not fill the memory.
    if (known.size < MOST_KNOWN) known.set(name, verdict)
    return verdict
  }
}

const MOST_KNOWN = 1000

/** Whole families: a name that is not used today may be believed by an application tomorrow. */
const FAMILIES = [
  'X-Forwarded',
  'X-Auth-Request',
  'X-Coatcheck',
  'X-Original',
  'X-Rewrite',
  // Of Azure App Service, Google's and Amazon's proxies, Grafana, Tailscale, authentik, and of what
  // ends TLS with certificates of clients: believed unsigned by what was made for them.
  'X-MS-Client-Principal',
  'X-MS-Token',
  'X-ARR-ClientCert',
  'X-Goog-Authenticated-User',
  'X-Amzn-Oidc',
  'X-Webauth',
  'Tailscale-User',
  'X-Authentik',
  'X-SSL-Client',
]

const NAMES = [
  'Forwarded',
  'Remote-User',
  'Remote-Name',
  'Remote-Email',
  'Remote-Groups',
  'Remote-Addr',
  'X-Remote-User',
  'X-Remote-Email',
  'X-Remote-Group',
  'X-Remote-Groups',
  'X-User',
  'X-Email',
  'X-Groups',
  'X-Access-Token',
  'X-Id-Token',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'True-Client-IP',
  'GAP-Auth',
  // A CGI program would take it for the proxy of its own requests (httpoxy, CVE-2016-5385).
  'Proxy',
]

/**
 * They say where a message ends, whom it is for and what belongs to the connection. Node reads them
 * in their own spelling only; `Transfer_Encoding` would get to a server that reads it too.
 */
const HTTPS_OWN = new Set([
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** A name by its letters and digits alone. */
export function foldedName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '')
}

/** As it is, as an application that decodes it has it, and without the prefix that CGI gives. */
function foldings(name: string): string[] {
  const plain = [name, ...decoded(name)].map(foldedName)
  return [...plain, ...plain.flatMap((one) => (one.startsWith('http') ? one.slice(4) : []))]
}

function decoded(name: string): string[] {
  if (!name.includes('%')) return []
  try {
    return [decodeURIComponent(name)]
  } catch {
    // No encoding of anything.
    return []
  }
}
