import { existsSync, statSync } from 'node:fs'
import type { GatewayConfiguration } from '../../configuration/configuration.ts'
import { openStore } from '../../configuration/open.ts'
import { failureOf } from '../failure.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

const SKEW_WORTH_A_WORD = 5_000
const PATIENCE = 5_000

/** Whether the store answers, and keeps what it has to itself. It makes no folder and no table. */
export async function examineStore({ store }: GatewayConfiguration): Promise<Finding[]> {
  if (store.kind === 'memory') {
    return [
      warning(
        'store',
        'Sessions are in the memory of one process: they end when it does, no second one hears of sign-outs, and no command can look into it. Write a folder, redis://… or postgres://….',
      ),
    ]
  }
  if (store.kind === 'lmdb' && !existsSync(store.path)) {
    return [fine('store', `${store.path} is not there yet: the gateway makes it.`)]
  }
  const isOpen = store.kind === 'lmdb' && (statSync(store.path).mode & 0o077) !== 0
  return [
    await answers({ store }),
    ...(isOpen
      ? [warning('store', `Others on this machine may look into ${store.path}: chmod 700 it.`)]
      : []),
  ]
}

async function answers({ store }: Pick<GatewayConfiguration, 'store'>): Promise<Finding> {
  let opened: Awaited<ReturnType<typeof openStore>> | undefined
  try {
    opened = await openStore(store)
    const before = Date.now()
    const theirs = await within(opened.store)
    const skew = theirs - (before + Date.now()) / 2
    if (Math.abs(skew) > SKEW_WORTH_A_WORD) {
      return warning(
        'store',
        `Its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine’s: set the clocks (NTP).`,
      )
    }
    return fine('store', `The store in ${store.kind} answers.`)
  } catch (error) {
    return problem('store', `It cannot be used: ${failureOf(error).text}`)
  } finally {
    await opened?.close()
  }
}

/** A driver may wait for a server for longer than a person does. */
async function within(store: Awaited<ReturnType<typeof openStore>>['store']): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(Object.assign(new Error('late'), { code: 'timeout' })),
      PATIENCE,
    )
  })
  try {
    // Its own first call checks whether it can keep the promise at all.
    await Promise.race([store.isEmpty(), late])
    return await Promise.race([store.now(), late])
  } finally {
    clearTimeout(timer)
  }
}
