import { type Answer, answerOf } from '../server/answer.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The public keys (RFC 7517 section 5). Who checks signatures may keep them for five minutes. */
export function jwksAnswer({ jwks }: SigningKeys): Answer {
  return answerOf(200, jwks, {
    'content-type': 'application/jwk-set+json',
    'cache-control': 'public, max-age=300',
  })
}
