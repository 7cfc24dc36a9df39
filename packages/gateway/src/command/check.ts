import { type ExitCode, FINE } from './exit-codes.ts'
import { configurationOf, fileOf, type Invocation } from './opened.ts'

/** `coatcheck check`: only looks at the configuration; nothing is opened, nobody asked. */
export async function check(invocation: Invocation): Promise<ExitCode> {
  const { origin, applications, store } = configurationOf(invocation)
  const names = applications.map(({ name }) => name).join(', ') || 'none'
  invocation.terminal.print(
    `${fileOf(invocation) ?? 'The environment'} is fine: ${origin}, applications: ${names}, store: ${store.kind}.`,
  )
  return FINE
}
