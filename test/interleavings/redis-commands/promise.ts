import { checkAftermath } from './aftermath.ts'
import type { Checks, Scenario } from './explore.ts'
import { checkFound } from './found.ts'
import { createRecords } from './known-records.ts'
import { type Operation, OWED } from './operations.ts'
import { checkRefused } from './refused.ts'
import { checkRemoval, checkTakenBack } from './removed.ts'
import { checkRest } from './rest.ts'
import { checkSaid } from './said.ts'

/** What must hold in a scenario. The first word of a failure says which promise was broken. */
export function promiseOf(scenario: Scenario): Checks {
  const { before, operations } = scenario
  const records = createRecords([...before, ...operations])
  const indexes = indexesOf([...before, ...operations])
  return {
    snapshot: (snapshot) => checkFound(snapshot, records),
    progress: (operation, progress) => checkSaid(operation, progress, operations, records),
    moment(moment) {
      for (const actor of moment.actors) {
        checkRemoval(actor, moment.snapshot, records)
        checkTakenBack(actor, moment.snapshot)
        checkRefused(actor, moment)
      }
      checkRest(moment)
    },
    afterwards: checkAftermath(records, indexes),
  }
}

/**
 * What must hold even where a client sends a command again whose answer was lost: an operation may
 * then say that nothing was done which was, but no sign-out misses anybody.
 */
export function promiseOfTwice(scenario: Scenario): Checks {
  const { before, operations } = scenario
  const records = createRecords([...before, ...operations])
  const whole = promiseOf(scenario)
  return {
    ...whole,
    progress() {},
    moment({ actors, snapshot }) {
      for (const actor of actors) {
        checkRemoval(actor, snapshot, records)
        checkTakenBack(actor, snapshot)
      }
    },
  }
}

/** All indexes that records come under. */
function indexesOf(operations: readonly Operation[]): string[] {
  const all = operations.flatMap((one) => ('entry' in one ? one.entry.record.indexes : []))
  return [...new Set(all)].filter((index) => index !== OWED)
}
