import { causeCode } from '../../cause-code.ts'

/** What came of a request that was only made to see whether somebody answers. */
export type Asked =
  | {
      readonly response: Response
      readonly body: string
      readonly sentAt: number
      readonly receivedAt: number
    }
  /** A code such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`, or `timeout`. */
  | { readonly failed: string }

const PATIENCE = 5_000
/** Nobody is asked for more than metadata. */
const LONGEST = 1_000_000

/** Asks without following redirects. Never rejects. */
export async function ask(url: string, init: RequestInit = {}): Promise<Asked> {
  const sentAt = Date.now()
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
      ...init,
    })
    const receivedAt = Date.now()
    const body = (await response.text()).slice(0, LONGEST)
    return { response, body, sentAt, receivedAt }
  } catch (error) {
    return { failed: causeCode(error) ?? 'no answer' }
  }
}
