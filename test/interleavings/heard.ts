import type { AuthEvent, SignOutReceipt } from '#coatcheck'
import type { Person, World } from './world.ts'

/** Events of one type, of all processes. */
export function heard<Type extends AuthEvent['type']>(
  { processes }: World,
  type: Type,
): Extract<AuthEvent, { type: Type }>[] {
  const all = processes.flatMap(({ events }) => events)
  return all.filter((event): event is Extract<AuthEvent, { type: Type }> => event.type === type)
}

/** The receipts that a session is in. */
export function receiptsOf(world: World, { handle }: Person): SignOutReceipt[] {
  return heard(world, 'signed_out')
    .map(({ receipt }) => receipt)
    .filter(({ sessions }) => sessions.includes(handle ?? ''))
}
