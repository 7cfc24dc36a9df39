import type { StoredEntry } from '#coatcheck/core/tokens/store'
import { areEnding, type KnownRecords } from './known-records.ts'
import { type Operation, owedId, textOf, unfinishedId } from './operations.ts'
import type { Outcome, Progress } from './progress.ts'
import type { Change } from './slots.ts'

/**
 * What an operation has done so far is what it was asked to do; once it has answered, its answer
 * says just that. So what a removal answers went to nobody else.
 */
export function checkSaid(
  operation: Operation,
  { changes, outcome }: Progress,
  all: readonly Operation[],
  known: KnownRecords,
): void {
  const { name } = operation
  for (const change of changes) {
    if (mayDo(operation, change, all, known)) continue
    throw new Error(`[theirs] ${name} made ${change.from} ${change.to}, which is ${change.id}`)
  }
  const sessions = changes.filter(({ id }) => !isWork(id))
  const gone = sessions.filter(({ to }) => to === undefined)
  if (!('entry' in operation)) {
    for (const { id, from } of gone) {
      const owed = owedId(orderOf(operation), id)
      if (changes.some((change) => change.id === owed && change.to !== undefined)) continue
      throw new Error(`[owed] ${name} removed ${from}, and what is owed for it is not written`)
    }
  }
  if (outcome === undefined) return
  if ('error' in outcome) {
    // A promise that was broken while a command was sent.
    if (outcome.error instanceof Error && outcome.error.message.startsWith('[')) throw outcome.error
    throw new Error(`[answers] ${name} failed: ${String(outcome.error)}`)
  }
  if (operation.kind === 'takeBack') return
  const did =
    'entry' in operation
      ? `${sessions.length > 0}`
      : gone.map(({ id, from }) => `${id}=${from}`).sort()
  const said = answerOf(operation, outcome)
  if (String(said) !== String(did)) throw new Error(`[answers] ${name} did ${did} and said ${said}`)
  if (operation.kind === 'removeAll' && gone.length > operation.limit) {
    throw new Error(`[answers] ${name} went beyond its limit`)
  }
}

/** Whether a record is what is owed, or what is unfinished. */
function isWork(id: string): boolean {
  return id.startsWith('w.')
}

function orderOf(operation: Operation): string {
  return operation.kind === 'removeAll' ? operation.order : operation.name
}

function mayDo(
  operation: Operation,
  { id, from, to }: Change,
  all: readonly Operation[],
  known: KnownRecords,
): boolean {
  switch (operation.kind) {
    case 'insert':
      return (
        id === operation.entry.id && from === undefined && to === textOf(operation.entry.record)
      )
    case 'replace':
      return (
        id === operation.entry.id &&
        from === operation.previous &&
        to === textOf(operation.entry.record)
      )
    case 'takeBack':
      return id === operation.entry.id && to === 'nobody'
    default:
      if (id === unfinishedId(orderOf(operation))) return operation.kind === 'removeAll'
      // What is owed is written once.
      if (isWork(id)) return from === undefined && id.startsWith(`w.${orderOf(operation)}/`)
      return to === undefined && isMeant(operation, id, from, all, known)
  }
}

function isMeant(
  operation: Operation,
  id: string,
  from: string | undefined,
  all: readonly Operation[],
  known: KnownRecords,
): boolean {
  if (operation.kind === 'remove') return id === operation.id
  if (operation.kind === 'sweep') {
    return (known.of(from)?.expiresAt ?? Number.POSITIVE_INFINITY) <= operation.at
  }
  if (operation.kind !== 'removeAll') return false
  const { marks, resumed } = operation
  if (areEnding(marks, known.of(from), resumed)) return true
  // A record that is about to come under an index is found there before its new value comes.
  return all.some(
    (other) =>
      other.kind === 'replace' &&
      other.previous === from &&
      areEnding(marks, other.entry.record, resumed),
  )
}

function answerOf(operation: Operation, outcome: Outcome): unknown {
  const answer = 'value' in outcome ? outcome.value : undefined
  switch (operation.kind) {
    case 'insert':
    case 'replace':
      return answer
    case 'remove':
      return answer instanceof Uint8Array ? [`${operation.id}=${textOf({ value: answer })}`] : []
    default: {
      const removed = operation.kind === 'sweep' ? answer : Reflect.get(Object(answer), 'removed')
      if (!Array.isArray(removed)) return answer
      return removed
        .map(({ id, value }: StoredEntry) => `${id}=${textOf({ value })}`)
        .filter((entry) => !isWork(entry))
        .sort()
    }
  }
}
