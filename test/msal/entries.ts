import { ConfidentialClientApplication } from '@azure/msal-node'

/** A user of Microsoft Entra ID, by its home account id in the spelling a library keeps it in. */
export interface Account {
  readonly id: string
  readonly name: string
}

const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'
export const CLIENT = '11111111-2222-4333-8444-555555555555'
const HOST = 'login.microsoftonline.com'

export const ada: Account = account('00000000-0000-0000-66f3-3332eca7ea81', 'ada')
export const bob: Account = account('00000000-0000-0000-66f3-3332eca7ea82', 'bob')
/** Ada's id is how Eve's begins. */
export const eve: Account = { id: `${ada.id}9`, name: 'eve' }

/** An account of the one tenant that most of them are in. */
export function account(oid: string, name: string): Account {
  return { id: `${oid}.${TENANT}`, name }
}

/** What an ID token says of somebody. */
export function claimsOf({ id, name }: Account): Record<string, unknown> {
  const [oid, tid] = id.split('.')
  return { oid, tid, preferred_username: `${name}@example.com` }
}

/** A cache as MSAL.NET's `SerializeMsalV3` writes it, for these accounts. */
export function dotnetCache(...accounts: readonly Account[]): string {
  return JSON.stringify({
    AccessToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-accesstoken-${CLIENT}-${TENANT}-user.read`,
      {
        ...credential(id, 'AccessToken', `at-${name}`),
        realm: TENANT,
        target: 'User.Read openid profile',
        token_type: 'Bearer',
        cached_at: '1790000000',
        expires_on: '1790003600',
        extended_expires_on: '1790003600',
        user_assertion_hash: '',
        ext_expires_on: '1790003600',
      },
    ]),
    RefreshToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-refreshtoken-${CLIENT}--`,
      credential(id, 'RefreshToken', `rt-${name}`),
    ]),
    IdToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-idtoken-${CLIENT}-${TENANT}-`,
      { ...credential(id, 'IdToken', `id-${name}`), realm: TENANT },
    ]),
    Account: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-${TENANT}`,
      { ...accountMember(id, name), client_info: clientInfo(id), wam_account_ids: {} },
    ]),
    AppMetadata: { [`appmetadata-${HOST}-${CLIENT}`]: { client_id: CLIENT, environment: HOST } },
  })
}

/** A cache of tokens of the application itself, as MSAL.NET keeps it under `…_AppTokenCache`. */
export function dotnetApplicationCache(): string {
  return JSON.stringify({
    AccessToken: {
      [`-${HOST}-accesstoken-${CLIENT}-${TENANT}-.default`]: {
        credential_type: 'AccessToken',
        client_id: CLIENT,
        secret: 'at-of-the-application',
        environment: HOST,
        realm: TENANT,
        target: 'https://graph.microsoft.com/.default',
      },
    },
    RefreshToken: {},
    IdToken: {},
    Account: {},
    AppMetadata: {},
  })
}

/** A cache as MSAL Python's `SerializableTokenCache.serialize` writes it: spaced, indented, ASCII. */
export function pythonCache(...accounts: readonly Account[]): string {
  const cache = {
    AccessToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-accesstoken-${CLIENT}-${TENANT}-user.read`.toLowerCase(),
      {
        ...credential(id, 'AccessToken', `at-${name}`),
        target: 'User.Read',
        realm: TENANT,
        token_type: 'Bearer',
        cached_at: '1790000000',
        expires_on: '1790003600',
        extended_expires_on: '1790003600',
      },
    ]),
    Account: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-${TENANT}`.toLowerCase(),
      { ...accountMember(id, name), account_source: 'authorization_code' },
    ]),
    IdToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-idtoken-${CLIENT}-${TENANT}-`.toLowerCase(),
      { ...credential(id, 'IdToken', `id-${name}`), realm: TENANT },
    ]),
    RefreshToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-refreshtoken-${CLIENT}--user.read`.toLowerCase(),
      {
        ...credential(id, 'RefreshToken', `rt-${name}`),
        target: 'User.Read',
        last_modification_time: '1790000000',
      },
    ]),
    AppMetadata: { [`appmetadata-${HOST}-${CLIENT}`]: { client_id: CLIENT, environment: HOST } },
  }
  return JSON.stringify(cache, null, 4)
}

/** A cache as MSAL Java's `TokenCache.serialize` writes it. */
export function javaCache(...accounts: readonly Account[]): string {
  return JSON.stringify({
    AccessToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-accesstoken-${CLIENT}-${TENANT}-openid profile user.read`,
      {
        ...credential(id, 'AccessToken', `at-${name}`),
        realm: TENANT,
        target: 'openid profile User.Read',
        cached_at: '1790000000',
        expires_on: '1790003600',
        extended_expires_on: '1790003600',
      },
    ]),
    RefreshToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-refreshtoken-${CLIENT}--`,
      credential(id, 'RefreshToken', `rt-${name}`),
    ]),
    IdToken: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-idtoken-${CLIENT}-${TENANT}-`,
      { ...credential(id, 'IdToken', `id-${name}`), realm: TENANT },
    ]),
    Account: members(accounts, ({ id, name }) => [
      `${id}-${HOST}-${TENANT}`,
      { ...accountMember(id, name), client_info: clientInfo(id) },
    ]),
    AppMetadata: {
      [`appmetadata-${HOST}-${CLIENT}`]: { client_id: CLIENT, environment: HOST, family_id: null },
    },
  })
}

/** A cache as MSAL Node itself writes it. */
export function nodeCache(...accounts: readonly Account[]): string {
  const auth = { clientId: CLIENT, clientSecret: 'a secret of nobody' }
  const cache = new ConfidentialClientApplication({ auth }).getTokenCache()
  cache.deserialize(javaCache(...accounts))
  return cache.serialize()
}

/** A Java text as `ObjectOutputStream` writes it: how Spring Session keeps an attribute. */
export function javaSerialized(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head = Buffer.from([0xac, 0xed, 0x00, 0x05, 0x74, bytes.length >> 8, bytes.length & 255])
  return Buffer.concat([head, bytes])
}

function members(
  accounts: readonly Account[],
  member: (account: Account) => readonly [string, object],
): Record<string, object> {
  return Object.fromEntries(accounts.map(member))
}

function credential(id: string, type: string, secret: string): Record<string, unknown> {
  return {
    home_account_id: id,
    environment: HOST,
    credential_type: type,
    client_id: CLIENT,
    secret,
  }
}

function accountMember(id: string, name: string): Record<string, unknown> {
  return {
    home_account_id: id,
    environment: HOST,
    realm: TENANT,
    local_account_id: id.split('.')[0],
    username: `${name}@example.com`,
    authority_type: 'MSSTS',
  }
}

function clientInfo(id: string): string {
  const [uid, utid] = id.split('.')
  return Buffer.from(JSON.stringify({ uid, utid })).toString('base64url')
}
