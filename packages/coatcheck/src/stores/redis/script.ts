import { createHash } from 'node:crypto'

/** A Lua script and the SHA-1 under which a server that ran it once knows it. */
export interface RedisScript {
  readonly source: string
  readonly sha: string
}

/** Makes a script of Lua source: the server's own name for it, computed once. */
export function toScript(source: string): RedisScript {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}
