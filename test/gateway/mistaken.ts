import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfiguration } from '#gateway/configuration/load'
import { ConfigurationError, type Mistake } from '#gateway/configuration/mistake'

/** What was written, the key it is about, the line it is in, and words of the fix. */
export type Mistaken = [string, string, string, number | undefined, RegExp]

/** Registers a test for each: it is told, and nothing else is. */
export function testMistakes(about: string, table: readonly Mistaken[]): void {
  describe(`a mistake in ${about} is answered with its key, its line and what to write`, () => {
    for (const [title, text, key, line, fix] of table) {
      it(title, () => {
        const mistakes = mistakesIn(text)
        const mistake = mistakes.find((one) => one.key === key)
        assert.ok(mistake, `only ${JSON.stringify(mistakes)}`)
        assert.match(mistake.message, fix)
        if (line !== undefined)
          assert.match(String(mistake.where), new RegExp(`coatcheck\\.yaml:${line}$`))
        assert.equal(mistakes.length, 1, JSON.stringify(mistakes))
      })
    }
  })
}

/** Of the configuration and what else it names. */
export const folder = mkdtempSync(join(tmpdir(), 'coatcheck-configuration-'))
after(() => rmSync(folder, { recursive: true }))

/** A certificate, and its key. */
export const [CERTIFICATE, KEY_FILE] = ['crt', 'key'].map((name) =>
  fileURLToPath(new URL(`../support/tls/localhost.${name}.pem`, import.meta.url)),
)
const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
writeFileSync(join(folder, 'other.key'), another.export({ type: 'pkcs8', format: 'pem' }))

/** That no mistake may show. */
export const SECRET = 'a-client-secret-that-nobody-may-see'
/** Good enough for `keys`. */
export const KEY = 'a-key-of-more-than-thirty-two-bytes-that-nobody-may-see'
const good: Record<string, string> = {
  origin: 'origin: https://apps.example',
  provider: `provider:\n  issuer: https://op.example\n  clientId: apps\n  clientSecret: ${SECRET}`,
  keys: `keys: [${KEY}]`,
  upstream: 'upstream: http://127.0.0.1:5000',
}

/** The file without the sections of these names, and with these lines at its end. */
export function file(lines: string, ...without: string[]): string {
  const sections = Object.entries(good).flatMap(([name, text]) =>
    without.includes(name) ? [] : text,
  )
  return [...sections, lines].join('\n')
}

/** All that is wrong with a file. No secret is in any of it. */
export function mistakesIn(
  text: string,
  environment: Record<string, string> = {},
): readonly Mistake[] {
  const path = join(folder, 'coatcheck.yaml')
  writeFileSync(path, text)
  try {
    loadConfiguration(path, environment)
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    for (const secret of [SECRET, KEY, 'hidden']) {
      assert.equal(error.message.includes(secret), false, 'a secret is shown')
    }
    return error.mistakes
  }
  return []
}

/** A file with two applications that have these settings. */
export function two(one: string, other: string): string {
  const lines = [one, other].map((parts) => `  - { ${parts}, upstream: "http://127.0.0.1:1" }`)
  return file(['applications:', ...lines].join('\n'), 'upstream')
}

/** That an application is told of sign-outs. */
export const TOLD = 'backchannelLogoutUri: "http://127.0.0.1:1/out"'
