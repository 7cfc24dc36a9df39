import type { Context } from '../context.ts'
import { currentSession, toSession } from './session.ts'

/** `GET …/session`: for pages that want to know who is signed in, and until when. Never a token. */
export async function describeSession(context: Context, request: Request): Promise<Response> {
  const held = await currentSession(context, request)
  const body = held === undefined ? { authenticated: false } : describe(toSession(context, held))
  return Response.json(body, {
    headers: { 'cache-control': 'no-store', 'cross-origin-resource-policy': 'same-origin' },
  })
}

function describe({ subject, claims, expiresAt }: ReturnType<typeof toSession>): object {
  const shown = ['name', 'preferred_username', 'email', 'picture'] as const
  const known = shown.filter((name) => typeof claims[name] === 'string')
  return {
    authenticated: true,
    subject,
    expiresAt,
    ...Object.fromEntries(known.map((name) => [name, claims[name]])),
  }
}
