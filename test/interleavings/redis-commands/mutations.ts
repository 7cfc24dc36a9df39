import type { RedisArgument } from '#coatcheck/stores/redis/client'
import { ADD, BEGIN, LOOK, MARK, SUCCEED, SWAP } from '#coatcheck/stores/redis/scripts'
import { all, but, swapped, toRun, where, without } from './calls.ts'
import { PREFIX } from './command.ts'
import { NOW } from './gate.ts'
import type { Break } from './progress.ts'

/** One rule of the order in which the store sends its commands, broken. */
export interface Mutation {
  readonly name: string
  /** The promise that it breaks. */
  readonly breaks: string
  /** Where that is noticed: `scenarios.ts`. */
  readonly scenario: string
  /** Noticed only where a client sends a command again. */
  readonly twice?: boolean
  readonly broken: Break
}

/** Scripts that are none of the store's. */
export const BROKEN = {
  succeed: without(SUCCEED, 'if head ~='),
  swap: without(
    SWAP,
    'if string.sub(head, 2, 17)',
    'if struct',
    'if string.sub(head, 1, 1)',
    'if string.sub(head, 42)',
  ),
  begin: without(BEGIN, 'if not isFree'),
  beginOnce: but(BEGIN, 'string.sub(bytes, 1, 17) == string.sub(head, 1, 17)', 'false'),
}

const NO_MARKS = [Buffer.from(String(NOW)), null, null]

/** Each must be caught. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'insert reads the marks before it enters the index',
    breaks: 'gone',
    scenario: 'an insert and a sign-out',
    broken: where(ADD, async ({ keys, args }, send) => {
      const marks = await send(toRun(LOOK, keys, args.slice(0, 2)))
      await send(toRun(ADD, keys, args))
      return marks
    }),
  },
  {
    name: 'insert does not look at the marks',
    breaks: 'gone',
    scenario: 'an insert and a sign-out',
    broken: where(ADD, async ({ keys, args }, send) => {
      await send(toRun(ADD, keys, args))
      return NO_MARKS
    }),
  },
  {
    name: 'insert writes no shell, and the record at the end',
    breaks: 'gone',
    scenario: 'an insert and a sign-out',
    broken: all(
      where(BEGIN, async ({ keys, args }, send) =>
        isState(args[1], SHELL) ? 1 : send(toRun(BEGIN, keys, args)),
      ),
      where(SUCCEED, async ({ keys, args }, send) => {
        if (!isState(args[0], SHELL)) return send(toRun(SUCCEED, keys, args))
        const [, bytes, until] = args
        if (bytes && until) await send(['SET', keys[0] ?? '', bytes, 'PXAT', until])
        return 1
      }),
    ),
  },
  {
    name: 'insert writes its shell over whatever is there',
    breaks: 'theirs',
    scenario: 'two inserts of one id and a sign-out',
    broken: swapped(BEGIN, BROKEN.begin),
  },
  {
    name: 'insert enters the index when the record is there',
    breaks: 'found',
    scenario: 'an insert and a sign-out',
    broken: later(ADD, SUCCEED, ({ args }) => !isOwed(args)),
  },
  {
    name: 'insert that is refused leaves its shell',
    breaks: 'rest',
    scenario: 'an insert and a sign-out',
    broken: where(SUCCEED, async ({ keys, args }, send) =>
      args.length === 1 && isState(args[0], SHELL) ? 1 : send(toRun(SUCCEED, keys, args)),
    ),
  },
  {
    name: 'insert is refused by a mark that nobody left',
    breaks: 'refused',
    scenario: 'an insert and a sign-out',
    broken: where(ADD, async ({ keys, args }, send) => {
      const [now] = NO_MARKS
      await send(toRun(ADD, keys, args))
      return [now, Buffer.from(`${NOW} ${NOW + 1}`), null]
    }),
  },
  {
    name: 'removeAll reads the index before it leaves its mark',
    breaks: 'gone',
    scenario: 'an insert and a sign-out',
    broken: where(MARK, async ({ keys, args }, send) => {
      const [index = ''] = keys
      const limit = args[3] ?? ''
      const ids = await send(['ZRANGEBYLEX', index, '-', '+', 'LIMIT', '0', limit])
      await send(toRun(MARK, keys, args))
      return ids
    }),
  },
  {
    name: 'removeAll leaves shells to those who insert',
    breaks: 'found',
    scenario: 'an insert and a sign-out',
    broken(send) {
      let isSignOut = false
      const marks = where(MARK, ({ keys, args }, on) => {
        isSignOut = true
        return on(toRun(MARK, keys, args))
      })
      const shells = where(SUCCEED, async ({ keys, args }, on) =>
        isSignOut && args.length === 1 && isState(args[0], SHELL)
          ? 1
          : on(toRun(SUCCEED, keys, args)),
      )
      return all(marks, shells)(send)
    },
  },
  {
    name: 'removeAll does not write down that it is unfinished',
    breaks: 'unfinished',
    scenario: 'two sign-outs by one index',
    broken: where(BEGIN, async ({ keys, args }, send) =>
      keys[0]?.startsWith(`${PREFIX}r:{w.`) ? 0 : send(toRun(BEGIN, keys, args)),
    ),
  },
  {
    name: 'a removal does not compare',
    breaks: 'answers',
    scenario: 'a refresh and a sign-out',
    broken: swapped(SUCCEED, BROKEN.succeed),
  },
  {
    name: 'a removal takes the entry out before the record',
    breaks: 'found',
    scenario: 'a refresh and a sign-out',
    broken: where(SUCCEED, async ({ keys, args }, send) => {
      if (isState(args[0], LIVE)) await send(['ZREM', `${PREFIX}i:{user}`, 'one'])
      return send(toRun(SUCCEED, keys, args))
    }),
  },
  {
    name: 'what is owed is entered after it is written',
    breaks: 'found',
    scenario: 'a refresh and a sign-out',
    broken: later(ADD, SUCCEED, ({ args }) => isOwed(args)),
  },
  {
    name: 'what is owed is written after the record is gone',
    breaks: 'owed',
    scenario: 'a refresh and a sign-out',
    broken: where(SUCCEED, async ({ keys, args }, send) => {
      const [stamp = '', bytes, until] = args
      const taken = await send(toRun(SUCCEED, keys.slice(0, 1), [stamp]))
      const [, owed] = keys
      if (taken === 1 && owed && bytes && until) await send(['SET', owed, bytes, 'PXAT', until])
      return taken
    }),
  },
  {
    name: 'replace does not compare',
    breaks: 'theirs',
    scenario: 'a refresh and a sign-out',
    broken: swapped(SWAP, BROKEN.swap),
  },
  {
    name: 'replace brings an index and does not read its marks again',
    breaks: 'gone',
    scenario: 'a refresh that brings an index and a sign-out by it',
    broken: withoutWidening((send) => async (command) => {
      await send(command)
      return NO_MARKS
    }),
  },
  {
    name: 'replace brings an index and does not put the record under it first',
    breaks: 'gone',
    scenario: 'a refresh that brings an index and a sign-out by it',
    broken: withoutWidening((send) => send),
  },
  {
    name: 'replace brings an index, and the record does not say that it is on its way',
    breaks: 'found',
    scenario: 'a refresh that brings an index',
    broken: where(SWAP, ({ keys, args }, send) =>
      send(
        toRun(
          SWAP,
          keys,
          args.map((arg) => (isState(arg, ON_ITS_WAY) ? toLive(arg) : arg)),
        ),
      ),
    ),
  },
  {
    name: 'a script that is sent again does not know its own shell',
    breaks: 'unfinished',
    scenario: 'two sign-outs by one index',
    twice: true,
    broken: swapped(BEGIN, BROKEN.beginOnce),
  },
  {
    name: 'one script touches a record and an index',
    breaks: 'slot',
    scenario: 'an insert and a sign-out',
    broken: where(SUCCEED, ({ keys, args }, send) =>
      send(toRun(SUCCEED, [...keys, `${PREFIX}i:{user}`], args)),
    ),
  },
]

const LIVE = 'L'
const SHELL = 'S'
const ON_ITS_WAY = 'W'

/** Whether bytes are a record, or a stamp, in this state. The other arguments begin otherwise. */
function isState(bytes: RedisArgument | undefined, state: string): boolean {
  return Buffer.isBuffer(bytes) && bytes.length >= 17 && bytes.toString('latin1', 0, 1) === state
}

function toLive(bytes: RedisArgument): Buffer {
  return Buffer.concat([Buffer.from(LIVE), Buffer.from(bytes).subarray(1)])
}

function isOwed(ids: readonly RedisArgument[]): boolean {
  return ids.some((id) => String(id).startsWith('w.'))
}

/** Runs one script only when another one was run. */
function later(
  script: typeof ADD,
  after: typeof ADD,
  which: (call: { readonly args: readonly RedisArgument[] }) => boolean,
): Break {
  return (send) => {
    const waiting: RedisArgument[][] = []
    const held = where(script, async ({ keys, args }, on) => {
      if (!which({ args })) return on(toRun(script, keys, args))
      waiting.push(toRun(script, keys, args))
      return NO_MARKS
    })
    const released = where(after, async ({ keys, args }, on) => {
      const answer = await on(toRun(after, keys, args))
      for (const one of waiting.splice(0)) await on(one)
      return answer
    })
    return all(held, released)(send)
  }
}

/** As if a record that is brought under a new index were not put under it before it changes. */
function withoutWidening(adding: Break): Break {
  return (send) => {
    let before: RedisArgument | undefined
    const swaps = where(SWAP, async ({ keys, args }, on) => {
      const [now = '', stamp = '', like = '', bytes = '', until = ''] = args
      if (isState(bytes, ON_ITS_WAY)) {
        before = like
        return 1
      }
      if (before === undefined || !isState(stamp, ON_ITS_WAY)) return on(toRun(SWAP, keys, args))
      return on(toRun(SWAP, keys, [now, toLive(stamp), before, bytes, until]))
    })
    const adds = where(ADD, ({ keys, args }, on) =>
      (before === undefined ? on : adding(on))(toRun(ADD, keys, args)),
    )
    return all(swaps, adds)(send)
  }
}
