import { compactDecrypt } from 'jose'
import type { AuthError } from '../../errors.ts'
import type { ProviderOptions } from './options.ts'
import { isJsonObject, parseJson } from './strict-json.ts'

/**
 * Opens a token that came encrypted (Core 10.2) and returns the signed one inside. Only the
 * registered algorithms are tried, so that a header cannot order an expensive key derivation.
 */
export async function openEncrypted(
  jwe: string,
  encryption: NonNullable<ProviderOptions['idTokenEncryption']>,
  refuse: (rule: string) => AuthError,
): Promise<string> {
  const header = headerOf(jwe)
  if (!header) throw refuse('the encryption header is malformed')
  if (header['alg'] !== encryption.alg || header['enc'] !== encryption.enc) {
    throw refuse('it is encrypted with another algorithm than registered')
  }
  if ('crit' in header || 'zip' in header) throw refuse('it is encrypted with an extension')
  try {
    const { plaintext } = await compactDecrypt(jwe, encryption.key, {
      keyManagementAlgorithms: [encryption.alg],
      contentEncryptionAlgorithms: [encryption.enc],
    })
    return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
  } catch {
    throw refuse('it cannot be decrypted')
  }
}

function headerOf(jwe: string): Record<string, unknown> | undefined {
  try {
    const encoded = jwe.slice(0, jwe.indexOf('.'))
    const header = parseJson(Buffer.from(encoded, 'base64url').toString(), 'refuse')
    return isJsonObject(header) ? header : undefined
  } catch {
    return undefined
  }
}
