import type { Refuse } from './relations.ts'
import { at } from './secret-files.ts'

/** Names of headers must differ from one another, and from those that HTTP lives by. */
export function headerRelations(tree: unknown, refuse: Refuse): void {
  const seen = new Map<string, string>()
  for (const [setting, initial] of Object.entries(HEADERS)) {
    const name = String(at(tree, ['headers', setting]) ?? initial).toLowerCase()
    const other = seen.get(name)
    if (other !== undefined) {
      refuse(['headers', setting], `headers.${other} has this name too: write another`)
    }
    if (RESERVED.includes(name)) {
      refuse(['headers', setting], 'this header means something else to HTTP: write another')
    }
    seen.set(name, setting)
  }
}

const HEADERS = {
  user: 'X-Forwarded-User',
  email: 'X-Forwarded-Email',
  preferredUsername: 'X-Forwarded-Preferred-Username',
  groups: 'X-Forwarded-Groups',
  identity: 'X-Coatcheck-Identity',
}

const RESERVED = [
  'authorization',
  'connection',
  'content-length',
  'cookie',
  'forwarded',
  'host',
  'te',
  'transfer-encoding',
  'upgrade',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]
