import type { IncomingMessage } from 'node:http'
import { type Session, SignInRequired } from 'coatcheck'
import { reasonOf } from '../cause-code.ts'
import { type Answer, NOBODYS, type Refusal, toAnswer } from '../server/answer.ts'
import type { GatewayContext } from '../server/context.ts'
import { authFailure, FAULT } from '../server/failure.ts'
import { signInAnswer } from '../server/sign-in-answer.ts'
import type { Application } from './applications.ts'
import { pathOf } from './path.ts'
import type { Told } from './request-headers.ts'
import { tell, toldOf } from './told.ts'

/** A request that may go to its application, or what to answer instead. */
export type Admitted =
  | { readonly told: Told; readonly session: Session | undefined }
  | { readonly answer: Answer | Response }

/** The application a request is for, or what to answer where there is none. */
export function find(
  { applications, guard }: GatewayContext,
  request: IncomingMessage,
): Application | Refusal {
  const application = applications.find(request.headers.host, pathOf(request.url ?? '/'))
  if (application === 'ambiguous') return guard.refuse(request, undefined) ?? AMBIGUOUS
  if (application === undefined) return guard.refuse(request, undefined) ?? NOBODYS
  return guard.refuse(request, application) ?? application
}

/** Decides whether a request goes on to its application, and what the application is told. */
export async function admit(
  context: GatewayContext,
  application: Application,
  request: IncomingMessage,
): Promise<Admitted> {
  const { access, accessToken } = application.configuration
  try {
    const session = await context.auth.session(request)
    if (session === undefined && access !== 'public') {
      return { answer: signInAnswer(context.auth, access, request) }
    }
    const told =
      accessToken === undefined || session === undefined
        ? toldOf(context, application, session, request)
        : await tell(context, application, session, request)
    return { told, session }
  } catch (error) {
    if (error instanceof SignInRequired) {
      return { answer: signInAnswer(context.auth, access, request) }
    }
    const refusal = authFailure(error)
    if (refusal === undefined) context.logger.error('request_failed', { reason: reasonOf(error) })
    return { answer: toAnswer(refusal ?? FAULT, request) }
  }
}

const AMBIGUOUS: Refusal = {
  status: 400,
  code: 'path_ambiguous',
  title: 'This address can be read in more than one way',
}
