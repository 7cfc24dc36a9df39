import { AuthError } from 'coatcheck'
import { reasonOf } from '../cause-code.ts'
import { ConfigurationError } from '../configuration/mistake.ts'
import { type ExitCode, FAILED, WRONG_USE } from './exit-codes.ts'
import { StoreFailure } from './store-failure.ts'

/** A command that was given what it cannot work with: it says what to write. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse'
}

/** What a person is told of an error, and how the command ends. */
export function failureOf(error: unknown): { readonly text: string; readonly code: ExitCode } {
  if (error instanceof WrongUse || error instanceof ConfigurationError) {
    return { text: error.message, code: WRONG_USE }
  }
  if (error instanceof AuthError) return { text: ofAuth(error), code: FAILED }
  if (error instanceof TypeError || error instanceof StoreFailure) {
    return { text: error.message, code: FAILED }
  }
  const { code, syscall, port, setting = 'listen' } = (error ?? {}) as ListenError
  if (syscall === 'listen') {
    const what = port === undefined ? 'the socket' : `port ${port}`
    return {
      text: `It cannot listen at ${what} (${code}): ${LISTEN[code ?? ''] ?? OTHER}.`.replace(
        '`listen`',
        `\`${setting}\``,
      ),
      code: FAILED,
    }
  }
  // What a driver says may repeat an address with its password.
  return { text: `It failed (${reasonOf(error)}).`, code: FAILED }
}

/** `setting`: the one that names the port. */
type ListenError = NodeJS.ErrnoException & { readonly port?: number; readonly setting?: string }

const OTHER = 'write another address in `listen`'
const LISTEN: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process does already; stop that one, or write another in `listen`',
  EACCES: 'this user may not; take a port above 1023, or let it (CAP_NET_BIND_SERVICE)',
  EADDRNOTAVAIL: 'this machine does not have that address; write another in `listen`',
}

/** What the library advises in its own terms. */
const OF_THE_LIBRARY = /(?:await |call )?migratePostgres(?:\(pool\))?/g

function ofAuth({ code, message }: AuthError): string {
  return `${message.replace(OF_THE_LIBRARY, 'run `coatcheck migrate`')} (${code})`
}
