import { AuthError, ProviderError } from '../../errors.ts'
import { isJsonObject, parseJson } from './strict-json.ts'

/** Longer descriptions are cut: they are for logs. */
const MAXIMUM_DESCRIPTION = 500
/** A provider that asks for more patience than this is asked again anyway. */
const MAXIMUM_RETRY_MILLISECONDS = 24 * 60 * 60 * 1000

/**
 * The JSON object of a good answer. Rejects with `provider_invalid` where it is none, and with
 * {@link refusalOf} where the status is not one of `statuses`.
 */
export async function readAnswer(
  what: string,
  response: Response,
  now: number,
  statuses: readonly number[] = [200],
): Promise<Record<string, unknown>> {
  if (!statuses.includes(response.status)) throw await refusalOf(what, response, now)
  const type = mediaType(response)
  if (type !== 'application/json' && !type.endsWith('+json')) {
    throw new AuthError('provider_invalid', `The ${what} did not answer with JSON.`)
  }
  try {
    const value = parseJson(await response.text(), 'last')
    if (isJsonObject(value)) return value
  } catch (error) {
    const rule = error instanceof SyntaxError ? error.message : 'is not JSON'
    throw new AuthError('provider_invalid', `The answer of the ${what} ${rule}.`)
  }
  throw new AuthError('provider_invalid', `The answer of the ${what} is not a JSON object.`)
}

/**
 * What an answer other than the good one means: not now (5xx, 408, 429), no (an OAuth error, RFC
 * 6749 section 5.2, or a Bearer challenge, RFC 6750 section 3), or nothing that makes sense.
 */
export async function refusalOf(
  what: string,
  response: Response,
  now: number,
): Promise<ProviderError> {
  const { status } = response
  const { error, error_description } = await wireError(response)
  const retryAt = retryAtOf(response, now)
  const wire = { status, error, error_description, retryAt }
  const said = sayable(error) ?? `status ${status}`
  if (status >= 500 || status === 408 || status === 429) {
    return new ProviderError('provider_unreachable', `The ${what} is not available: ${said}`, wire)
  }
  if (status >= 400 && error !== undefined) {
    return new ProviderError(
      'provider_refused',
      `The ${what} refused: ${said}${advice(error)}`,
      wire,
    )
  }
  return new ProviderError('provider_invalid', `The ${what} answered with status ${status}.`, wire)
}

/** The one refusal that is nearly always a mistake of ours (RFC 6749 section 5.2). */
function advice(error: string): string {
  if (error !== 'invalid_client') return ''
  return ' (compare `provider.clientId`, `provider.clientSecret` and `provider.clientAuthentication` with what is registered there)'
}

/** An error code that may stand in a message: what the specifications allow, and short. */
export function sayable(error: string | undefined): string | undefined {
  return error !== undefined && /^[\w.:/-]{1,64}$/.test(error) ? error : undefined
}

async function wireError(
  response: Response,
): Promise<{ error: string | undefined; error_description: string | undefined }> {
  try {
    const body = parseJson(await response.text(), 'last')
    if (isJsonObject(body) && typeof body['error'] === 'string' && body['error'] !== '') {
      const description = body['error_description']
      return {
        error: body['error'],
        error_description:
          typeof description === 'string' ? description.slice(0, MAXIMUM_DESCRIPTION) : undefined,
      }
    }
  } catch {
    // An error page of some proxy: the status says enough.
  }
  const challenge = response.headers.get('www-authenticate') ?? ''
  return { error: /\berror="([^"\\]+)"/.exec(challenge)?.[1], error_description: undefined }
}

function retryAtOf(response: Response, now: number): number | undefined {
  const value = response.headers.get('retry-after')?.trim()
  if (!value) return undefined
  const time = /^\d+$/.test(value) ? now + Number(value) * 1000 : Date.parse(value)
  if (Number.isNaN(time)) return undefined
  return Math.min(Math.max(time, now), now + MAXIMUM_RETRY_MILLISECONDS)
}

function mediaType(response: Response): string {
  return (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}
