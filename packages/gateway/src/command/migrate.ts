import { openStore } from '../configuration/open.ts'
import { type ExitCode, FINE } from './exit-codes.ts'
import { configurationOf, type Invocation } from './opened.ts'
import { withStore } from './store-failure.ts'

/**
 * `coatcheck migrate`: makes the tables in Postgres. A step of its own, since the role of a gateway
 * that runs need not be allowed to make tables.
 */
export async function migrate(invocation: Invocation): Promise<ExitCode> {
  const { store } = configurationOf(invocation)
  const opened = await withStore(store, () => openStore(store))
  try {
    await withStore(store, async () => opened.migrate?.())
  } finally {
    await opened.close()
  }
  invocation.terminal.print(
    opened.migrate
      ? 'The tables are there.'
      : `Nothing to do: a store in ${store.kind} needs no tables.`,
  )
  return FINE
}
