import type { Auth, AuthOptions, Session } from 'coatcheck'

/** What a fragment in README and docs may take for granted. */
declare global {
  const auth: Auth
  const options: AuthOptions
  const request: Request
  const session: Session
}
