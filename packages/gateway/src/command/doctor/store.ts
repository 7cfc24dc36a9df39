import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AuthError, createAuth, type TokenStore } from 'coatcheck'
import type { GatewayConfiguration } from '../../configuration/configuration.ts'
import { authOptions, openStore } from '../../configuration/open.ts'
import { failureOf } from '../failure.ts'
import { folderFailureText, storeFailureText } from '../store-failure.ts'
import { type Finding, fine, problem, warning } from './finding.ts'

const SKEW_WORTH_A_WORD = 5_000
const PATIENCE = 5_000
const NO_DATABASE = 'NO_SUCH_DATABASE'

/** Whether the store answers and is opened by `keys`, and keeps what it has to itself. It makes no folder and no table. */
export async function examineStore(configuration: GatewayConfiguration): Promise<Finding[]> {
  const { store } = configuration
  if (store.kind === 'memory') {
    return [
      warning(
        'store',
        'Sessions are in the memory of one process: they end when it does, no second one hears of sign-outs, and no command can look into it. Write a folder, redis://… or postgres://….',
      ),
    ]
  }
  if (store.kind === 'lmdb' && !existsSync(store.path)) {
    const code = whyNotMade(store.path)
    return [
      code === undefined
        ? fine('store', `${store.path} is not there yet: the gateway makes it.`)
        : problem('store', folderFailureText(store.path, code)),
    ]
  }
  const isOpen = store.kind === 'lmdb' && isOpenToOthers(store.path)
  return [
    await answers(configuration),
    ...(isOpen
      ? [warning('store', `Others on this machine may look into ${store.path}: chmod 700 it.`)]
      : []),
  ]
}

function isOpenToOthers(path: string): boolean {
  const about = statSync(path)
  return about.isDirectory() && (about.mode & 0o077) !== 0
}

/** Why a folder cannot be made; nothing where it can. */
function whyNotMade(path: string): string | undefined {
  let above = dirname(path)
  while (!existsSync(above) && above !== dirname(above)) above = dirname(above)
  try {
    if (!statSync(above).isDirectory()) return 'ENOTDIR'
    accessSync(above, constants.W_OK | constants.X_OK)
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
}

async function answers(configuration: GatewayConfiguration): Promise<Finding> {
  const { store } = configuration
  let opened: Awaited<ReturnType<typeof openStore>> | undefined
  try {
    opened = await openStore(store)
    const before = Date.now()
    const theirs = await within(opened.store)
    const skew = theirs - (before + Date.now()) / 2
    await openedByKeys(configuration, opened.store)
    // The driver goes on with another database, and only says so.
    if (opened.trouble?.() === NO_DATABASE) {
      return problem('store', await storeFailureText(store, undefined, NO_DATABASE))
    }
    if (Math.abs(skew) > SKEW_WORTH_A_WORD) {
      return warning(
        'store',
        `Its clock is ${Math.round(Math.abs(skew) / 1000)} s ${skew < 0 ? 'behind' : 'ahead of'} this machine’s: set the clocks (NTP).`,
      )
    }
    return fine('store', `The store in ${store.kind} answers.`)
  } catch (error) {
    const isSaid = error instanceof AuthError && error.code !== 'store_unavailable'
    return problem(
      isSaid && error.code === 'keys_unknown' ? 'keys' : 'store',
      isSaid || error instanceof TypeError
        ? `It cannot be used: ${failureOf(error).text}`
        : await storeFailureText(store, error, opened?.trouble?.()),
    )
  } finally {
    await opened?.close()
  }
}

/** Rejects with `keys_unknown` where none of `keys` opens the store. */
async function openedByKeys(configuration: GatewayConfiguration, store: TokenStore): Promise<void> {
  const auth = createAuth(authOptions(configuration, onlyRead(store)))
  try {
    await auth.sessions({ subject: 'coatcheck-doctor' })
  } finally {
    await auth.close()
  }
}

/** A store that keeps nothing of what it is given: looking at a keyring may mean to renew it. */
function onlyRead(store: TokenStore): TokenStore {
  return {
    now: () => store.now(),
    get: (id) => store.get(id),
    list: (index, page) => store.list(index, page),
    isEmpty: () => store.isEmpty(),
    insert: async () => true,
    replace: async () => true,
    remove: async () => undefined,
    removeAll: async () => ({ removed: [], more: false }),
    claim: async () => false,
    sweep: async () => [],
    close: async () => undefined,
  }
}

/** A driver may wait for a server for longer than a person does. */
async function within(store: Awaited<ReturnType<typeof openStore>>['store']): Promise<number> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new DOMException('The store does not answer', 'TimeoutError')),
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
