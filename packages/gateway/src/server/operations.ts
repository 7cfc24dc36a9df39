import { createServer, type Server } from 'node:http'
import { OWN_PATHS } from '../own-paths.ts'
import { type Answer, answerOf, jsonAnswer } from './answer.ts'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'
import { write } from './send.ts'

/** What an operator's machines ask, by path. */
export interface Operations {
  /** Answers `/healthz` and `/readyz`, and `/metrics` where it may; `undefined` for other paths. */
  answer(path: string, withMetrics: boolean): Promise<Answer> | undefined
}

/** Health and metrics of one gateway. */
export function createOperations(health: Health, metrics: Metrics): Operations {
  return {
    answer(path, withMetrics) {
      if (path === OWN_PATHS.alive) return Promise.resolve(jsonAnswer(200, { status: 'ok' }))
      if (path === OWN_PATHS.ready) {
        return health.ready().then(({ status, body }) => jsonAnswer(status, body))
      }
      if (path !== OWN_PATHS.metrics || !withMetrics) return undefined
      const headers = { 'content-type': metrics.contentType }
      return metrics.text().then((text) => answerOf(200, text, headers))
    },
  }
}

/** A listener of their own, which the public does not reach. */
export function operationsServer(operations: Operations): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/, '')
    const answer = operations.answer(path, true) ?? Promise.resolve(jsonAnswer(404, {}))
    answer.then((given) => write(given, response)).catch(() => response.writeHead(500).end())
  })
}
