import { createServer, type Server } from 'node:http'
import type { Answer } from './answer.ts'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'

/** What an operator's machines ask, by path. */
export interface Operations {
  /** Answers `/healthz` and `/readyz`, and `/metrics` where it may; `undefined` for other paths. */
  answer(path: string, withMetrics: boolean): Promise<Answer> | undefined
}

/** Health and metrics of one gateway. */
export function createOperations(health: Health, metrics: Metrics): Operations {
  return {
    answer(path, withMetrics) {
      if (path === '/healthz') return Promise.resolve(json(200, { status: 'ok' }))
      if (path === '/readyz') return health.ready().then(({ status, body }) => json(status, body))
      if (path !== '/metrics' || !withMetrics) return undefined
      return metrics.text().then((text) => toText(200, metrics.contentType, text))
    },
  }
}

/** A listener of their own, which the public does not reach. */
export function operationsServer(operations: Operations): Server {
  return createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\?.*/, '')
    const answer = operations.answer(path, true) ?? Promise.resolve(json(404, {}))
    answer
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
      .catch(() => response.writeHead(500).end())
  })
}

function json(status: number, body: object): Answer {
  return toText(status, 'application/json', JSON.stringify(body))
}

function toText(status: number, type: string, body: string): Answer {
  const length = String(Buffer.byteLength(body))
  const headers = { 'content-type': type, 'content-length': length, 'cache-control': 'no-store' }
  return { status, headers, body }
}
