import type { ServerResponse } from 'node:http'
import { sendResponse } from 'coatcheck/adapters/node'
import type { Answer } from './answer.ts'
import type { GatewayContext } from './context.ts'

/** Writes what the gateway says itself, with the headers that all of it has. */
export async function send(
  context: Pick<GatewayContext, 'guard'>,
  answer: Answer | Response,
  response: ServerResponse,
): Promise<void> {
  addOwnHeaders(context, response)
  if (answer instanceof Response) return sendResponse(answer, response)
  write(answer, response)
}

/** Writes an answer as it is, where a listener is not for browsers. */
export function write({ status, headers, body }: Answer, response: ServerResponse): void {
  response.writeHead(status, headers).end(body)
}

/** The same for what somebody else writes: the library. */
export function addOwnHeaders(
  { guard }: Pick<GatewayContext, 'guard'>,
  response: ServerResponse,
): void {
  for (const name in guard.own) response.setHeader(name, guard.own[name] ?? '')
}
