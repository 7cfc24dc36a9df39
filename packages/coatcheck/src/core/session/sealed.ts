import type { Packed } from '../tokens/packed.ts'
import type { Vault } from '../tokens/vault.ts'
import type { KeptAccessToken, SessionRecord } from './record.ts'

/** A record as it is sealed: beside its tokens, which are the access tokens and those two. */
export function sealSession(vault: Vault, id: string, record: SessionRecord): Uint8Array {
  const { idToken, refreshToken, accessTokens } = record
  const content = {
    ...record,
    idToken: undefined,
    refreshToken: undefined,
    accessTokens: accessTokens.map((token) => ({ ...token, value: undefined })),
  }
  const tokens = [...accessTokens.map(({ value }) => value), idToken]
  if (refreshToken !== undefined) tokens.push(refreshToken)
  return vault.seal('session', id, content, tokens)
}

/** The record in what was sealed. */
export function sessionIn({ content, tokens }: Packed): SessionRecord {
  const record = content as Writable<SessionRecord>
  const accessTokens = record.accessTokens as readonly Writable<KeptAccessToken>[]
  accessTokens.forEach((token, at) => {
    token.value = tokens[at] ?? ''
  })
  record.idToken = tokens[accessTokens.length] ?? ''
  record.refreshToken = tokens[accessTokens.length + 1]
  return record
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
