import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Path, Refuse } from './mistake.ts'
import { at } from './tree.ts'

/**
 * Files for TLS that cannot be used: TLS itself would tell of them at the first connection, by a
 * driver that only says that there is none.
 */
export function pemFiles(tree: unknown, folder: string, refuse: Refuse): void {
  const caches = at(tree, ['msal'])
  const sections: Path[] = [
    ['listen', 'tls'],
    ['store', 'tls'],
    ...(Array.isArray(caches) ? caches.map((_, index): Path => ['msal', index, 'tls']) : []),
  ]
  for (const section of sections) {
    const read = <T>(name: string, parse: (pem: string) => T, fix: string): T | undefined => {
      const path = [...section, name]
      const file = at(tree, path)
      if (typeof file !== 'string' || file === '') return undefined
      return inFile(resolve(folder, file), parse, fix, (message) => refuse(path, message))
    }
    read('ca', certificateIn, CERTIFICATE_FIX)
    const certificate = read('certificate', certificateIn, CERTIFICATE_FIX)
    const key = read('key', keyIn, KEY_FIX)
    if (certificate === undefined || key === undefined || certificate.checkPrivateKey(key)) continue
    refuse([...section, 'key'], 'it is the key of another certificate: name the one that belongs')
  }
}

const CERTIFICATE_FIX = 'it holds no certificate: name a PEM file with -----BEGIN CERTIFICATE-----'
const KEY_FIX =
  'it holds no private key that can be read: name a PEM file with one that has no passphrase'

function inFile<T>(
  file: string,
  parse: (pem: string) => T,
  fix: string,
  refuse: (message: string) => void,
): T | undefined {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    refuse(
      `the file cannot be read (${code}): name a PEM file that is there and that this user may read`,
    )
    return undefined
  }
  try {
    return parse(pem)
  } catch {
    // What OpenSSL says of it helps nobody.
    refuse(fix)
    return undefined
  }
}

/** The first, which is a server's own where others follow. */
function certificateIn(pem: string): X509Certificate {
  return new X509Certificate(pem)
}

function keyIn(pem: string): KeyObject {
  return createPrivateKey(pem)
}
