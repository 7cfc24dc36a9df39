import { createKeys } from '#coatcheck/stores/redis/keys'
import { type Command, PREFIX } from './command.ts'
import type { Scenario } from './explore.ts'
import { NOW } from './gate.ts'
import {
  type Entry,
  finish,
  HOUR,
  insert,
  mark,
  type Operation,
  type RemoveAll,
  remove,
  removeAll,
  removeAllInSteps,
  replace,
  session,
  sweep,
  takeBack,
} from './operations.ts'

const one = session('one', 'one.1', ['user'])
const renewed = session('one', 'one.2', ['user'])
const named = session('one', 'one.3', ['user', 'sid'])
const moved = session('one', 'one.4', ['sid'])
const later = session('one', 'one.5', ['user'], { here: NOW + 1_000 })
const two = session('two', 'two.1', ['user'])
const bothOfTwo = session('two', 'two.2', ['user', 'sid'])
const three = session('three', 'three.1', ['user'])

const byUser = mark('provider', 'user')
const bySid = mark('provider', 'sid')
const here = mark('here', 'user')
const hereBySid = mark('here', 'sid')

const signOut = (...marks: Parameters<typeof removeAll>[1]): RemoveAll => removeAll('R', marks)
const refresh = (before: Entry, entry: Entry): Operation => replace('refresh', before, entry)

/** By what is done at the same time. */
export type Scenarios = Readonly<Record<string, Scenario>>

/** What is done at the same time, by who does it. One of them may die anywhere. */
export const SMALL: Scenarios = {
  'an insert and a sign-out': given()(insert('insert', one), signOut(byUser)),
  'an insert and a sign-out here': given()(insert('insert', one), signOut(here)),
  'an insert that began after a sign-out here': given()(insert('insert', later), signOut(here)),
  'an insert under two indexes and a sign-out by both': given()(
    insert('insert', named),
    signOut(bySid, byUser),
  ),
  'an insert that is given up and taken back': given()(
    insert('insert', named),
    takeBack('takes back', 'one'),
  ),
  'a refresh and a sign-out': given(one)(refresh(one, renewed), signOut(byUser)),
  'a refresh and a sign-out here': given(one)(refresh(one, renewed), signOut(here)),
  'a refresh that brings an index': given(one)(refresh(one, named)),
  'a refresh that brings an index and a sign-out by the old one': given(one)(
    refresh(one, named),
    signOut(byUser),
  ),
  'a refresh that brings an index and a sign-out by it': given(one)(
    refresh(one, named),
    signOut(bySid),
  ),
  'a refresh that brings an index and a sign-out here by it': given(one)(
    refresh(one, named),
    signOut(hereBySid),
  ),
  'a refresh that moves a record and a sign-out by the old index': given(one)(
    refresh(one, moved),
    signOut(byUser),
  ),
  'a refresh that moves a record and a sign-out by both indexes': given(one)(
    refresh(one, moved),
    signOut(bySid, byUser),
  ),
  'two refreshes that bring indexes': given(one)(refresh(one, moved), replace('other', one, named)),
  'two refreshes and a sign-out': given(one)(
    refresh(one, renewed),
    replace('other', one, named),
    signOut(bySid),
  ),
  'a removal and a refresh': given(one)(remove('remove', 'one'), refresh(one, named)),
  'two removals': given(one)(remove('remove', 'one'), remove('other', 'one')),
}

/** Those in which the ends of records are read, by somebody who looks for some. */
export const SWEEPS: Scenarios = {
  'a sweep and a refresh by a clock that is behind': given(ending(NOW - 500))(
    replace('refresh', ending(NOW - 500), renewed, NOW - 1_000),
    sweep('sweep'),
  ),
  'a sweep and a refresh of a record that was prolonged': {
    before: [
      insert('before', ending(NOW - 1_000), NOW - HOUR),
      replace('prolongs', ending(NOW - 1_000), one, NOW - HOUR),
    ],
    operations: [refresh(one, renewed), sweep('sweep')],
  },
  'a sweep and a sign-out': given(ending(NOW - 500))(sweep('sweep'), signOut(byUser)),
  'two sweeps': given(ending(NOW - 500))(sweep('sweep'), sweep('other')),
}

/** Those with more to do. */
export const LARGER: Scenarios = {
  'two inserts under one index and a sign-out': given()(
    insert('insert', one),
    insert('second', two),
    signOut(byUser),
  ),
  'two inserts of one id and a sign-out': given()(
    insert('insert', one),
    insert('second', renewed),
    signOut(byUser),
  ),
  'an insert, taken back, and a sign-out': given()(
    insert('insert', one),
    takeBack('takes back', 'one'),
    signOut(byUser),
  ),
  'a removal and a sign-out': given(one, two)(remove('remove', 'one'), signOut(byUser)),
  'two sign-outs by one index': given(one, two)(signOut(byUser), removeAll('S', [here])),
  'two sign-outs by two indexes': given(named, bothOfTwo)(signOut(byUser), removeAll('S', [bySid])),
  'a sign-out in steps and an insert': given(one, two)(
    removeAllInSteps('R', [byUser]),
    insert('insert', three),
  ),
  'a sign-out that another process takes for dead': given(one, two)(
    signOut(byUser),
    finish('worker', signOut(byUser)),
  ),
}

/** Insert, refresh, sign-out and a second insert at the same time. */
export const OF_FOUR: Scenarios = {
  'insert, refresh, sign-out, second insert, three sessions under one index': given(one)(
    insert('insert', two),
    refresh(one, renewed),
    signOut(byUser),
    insert('second', three),
  ),
  'insert, refresh, sign-out, second insert, an index that the refresh brings': given(one)(
    insert('insert', bothOfTwo),
    refresh(one, named),
    signOut(bySid),
    insert('second', three),
  ),
  'insert, refresh, sign-out, second insert, a sign-out here by an index that the refresh brings':
    given(one)(
      insert('insert', bothOfTwo),
      refresh(one, named),
      signOut(hereBySid),
      insert('second', three),
    ),
  'insert, refresh, sign-out, second insert, one session that is inserted and refreshed': given()(
    insert('insert', one),
    refresh(one, named),
    signOut(byUser),
    insert('second', two),
  ),
}

/**
 * Commands on the ends of records, but for those that a sweep might find: nobody who takes part
 * reads what they write.
 */
export function onlyForSweeps({ operations, before }: Scenario): (command: Command) => boolean {
  const { ends } = createKeys(PREFIX)
  const isSwept = operations.some(({ kind }) => kind === 'sweep')
  const all = [...before, ...operations]
  const ids = all.flatMap((operation) => ('entry' in operation ? [operation.entry.id] : []))
  const read = new Set(isSwept ? ids.map(ends) : [])
  return ({ keys: [key = ''] }) => key.startsWith(`${PREFIX}e:`) && !read.has(key)
}

function given(...entries: readonly Entry[]): (...operations: readonly Operation[]) => Scenario {
  const before = entries.map((entry, nth) => insert(`before ${nth}`, entry, NOW - HOUR))
  return (...operations) => ({ before, operations })
}

function ending(expiresAt: number): Entry {
  return session('one', 'one.6', ['user'], { expiresAt })
}
