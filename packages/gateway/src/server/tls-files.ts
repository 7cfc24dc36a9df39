import { readFileSync } from 'node:fs'
import type { GatewayConfiguration } from '../configuration/configuration.ts'

/** Certificate and key of a listener, as Node takes them. Throws where a file cannot be read. */
export function tlsFiles({
  certificate,
  key,
}: NonNullable<GatewayConfiguration['listen']['tls']>): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certificate), key: readFileSync(key) }
}
