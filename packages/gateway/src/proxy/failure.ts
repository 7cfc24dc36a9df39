import { causeCode } from '../cause-code.ts'
import { TOO_LARGE, TOO_LARGE_CODE } from '../guard/body-limit.ts'
import type { Refusal } from '../server/answer.ts'

/** What a client is told when an upstream did not answer as it should. */
export function upstreamFailure(error: unknown): Refusal {
  if (causeCode(error) === TOO_LARGE_CODE) return TOO_LARGE
  return isTimeout(error) ? TOO_SLOW : UNREACHABLE
}

/** The application could not be reached, went away, or did not speak HTTP. */
const UNREACHABLE: Refusal = {
  status: 502,
  code: 'upstream_unreachable',
  title: 'The application does not answer',
}

const TOO_SLOW: Refusal = {
  status: 504,
  code: 'upstream_timeout',
  title: 'The application takes too long to answer',
}

function isTimeout(error: unknown): boolean {
  return [
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_CONNECT_TIMEOUT',
    'ETIMEDOUT',
    'FST_REPLY_FROM_HTTP_REQUEST_TIMEOUT',
  ].includes(causeCode(error) ?? '')
}
