import type { AuthEvent } from 'coatcheck'
import { Counter, Gauge, Registry } from 'prom-client'

/** What is counted, and how it is read. */
export interface Metrics {
  /** Counts what the library tells. */
  hear(event: AuthEvent): void
  /** Counts an answered request of an application, by its name and the answer's status. */
  answered(application: string, status: number): void
  /** In Prometheus' text format. */
  text(): Promise<string>
  readonly contentType: string
}

/** Counters of one gateway: nothing is shared with another in the same process. */
export function createMetrics(openStreams: () => number): Metrics {
  const registers = [new Registry()]
  const [registry = new Registry()] = registers
  const counter = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
  ): Counter<Label> => new Counter({ name: `coatcheck_${name}`, help, labelNames, registers })

  /** By application, then by the first digit of the status: a plain number costs nothing to count. */
  const answers = new Map<string, number[]>()
  new Counter({
    name: 'coatcheck_requests_total',
    help: 'Requests by application and status class.',
    labelNames: ['application', 'status'],
    registers,
    collect() {
      this.reset()
      for (const [application, classes] of answers) {
        for (const [first, count] of classes.entries()) {
          if (count > 0) this.inc({ application, status: `${first}xx` }, count)
        }
      }
    },
  })
  const signIns = counter('sign_ins_total', 'Sign-ins by outcome.', ['outcome'])
  const signOuts = counter('sign_outs_total', 'Sign-outs by cause.', ['cause'])
  const removed = counter('sessions_removed_total', 'Sessions removed by cause.', ['cause'])
  const revocations = counter('revocations_total', 'Revocations by outcome.', ['outcome'])
  const refreshes = counter('refreshes_total', 'Refreshes by outcome.', ['outcome'])
  const failures = counter('store_failures_total', 'Failures of the store by code.', ['code'])
  new Gauge({
    name: 'coatcheck_open_streams',
    help: 'Requests, streams and WebSockets under way for users who are signed in.',
    registers,
    collect() {
      this.set(openStreams())
    },
  })
  const memory = (name: string, help: string, measure: () => number): void =>
    void new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(measure())
      },
    })
  memory('process_resident_memory_bytes', 'Resident memory size in bytes.', () =>
    process.memoryUsage.rss(),
  )
  memory('nodejs_heap_size_used_bytes', 'Heap of the process that is in use, in bytes.', () => {
    return process.memoryUsage().heapUsed
  })
  return {
    hear(event) {
      if (event.type === 'signed_in') signIns.inc({ outcome: 'done' })
      else if (event.type === 'sign_in_failed') signIns.inc({ outcome: event.code })
      else if (event.type === 'refreshed') refreshes.inc({ outcome: 'done' })
      else if (event.type === 'refresh_failed') refreshes.inc({ outcome: event.code })
      else if (event.type === 'revocation') revocations.inc({ outcome: event.outcome })
      else if (event.type === 'store_failed') failures.inc({ code: event.code })
      else if (event.type === 'signed_out') {
        const { cause, removed: count } = event.receipt
        signOuts.inc({ cause })
        removed.inc({ cause }, count)
      }
    },

    answered(application, status) {
      let classes = answers.get(application)
      if (classes === undefined) {
        classes = []
        answers.set(application, classes)
      }
      const first = Math.trunc(status / 100)
      classes[first] = (classes[first] ?? 0) + 1
    },

    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
