import { causeCode } from '../cause-code.ts'

/**
 * Why there is no connection to a Redis, as a constant: Node's, as `DEPTH_ZERO_SELF_SIGNED_CERT`, or
 * one for what a server says in words. Nothing where neither is known. The driver tells its listeners
 * and tries again; a command only hears that nothing came.
 */
export function redisTrouble(error: unknown): string | undefined {
  const { message, lastNodeError } = (error ?? {}) as Failed
  const words = `${message} ${lastNodeError?.message}`
  const [, constant] = SAID.find(([what]) => what.test(words)) ?? []
  return constant ?? causeCode(error) ?? causeCode(lastNodeError)
}

interface Failed {
  readonly message?: string
  /** Of a Cluster, none of whose nodes told of the others. */
  readonly lastNodeError?: { readonly message?: string }
}

const SAID: readonly (readonly [RegExp, string])[] = [
  [/WRONGPASS|invalid password/, 'WRONGPASS'],
  [/NOAUTH/, 'NOAUTH'],
  [/No such master/, 'NO_SUCH_MASTER'],
  [/cluster support disabled/, 'NO_CLUSTER'],
  [/DB index is out of range/, 'NO_SUCH_DATABASE'],
]
