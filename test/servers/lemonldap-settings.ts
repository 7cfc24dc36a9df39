import { generateKeyPairSync } from 'node:crypto'

/** A client of LemonLDAP::NG. It is told of sign-outs by one of the two channels, never by both. */
export interface LemonLdapClient {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
  readonly postLogoutRedirectUri: string
  readonly logout: { readonly channel: 'back' | 'front'; readonly url: string }
}

/** Its configuration, as its own manager would save it. */
export function settings({
  folder,
  issuer,
  clients,
}: {
  readonly folder: string
  readonly issuer: string
  readonly clients: readonly LemonLdapClient[]
}): Record<string, unknown> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const byClient = <Value>(of: (client: LemonLdapClient) => Value): Record<string, Value> =>
    Object.fromEntries(clients.map((client) => [client.id, of(client)]))
  return {
    cfgNum: 1,
    cfgAuthor: 'coatcheck',
    cfgDate: Math.floor(Date.now() / 1000),
    key: 'a key for tests of LemonLDAP::NG',
    portal: issuer,
    domain: '127.0.0.1',
    cookieName: 'lemonldap',
    securedCookie: 0,
    authentication: 'Demo',
    userDB: 'Same',
    passwordDB: 'Demo',
    registerDB: 'Null',
    demoExportedVars: { cn: 'cn', mail: 'mail', uid: 'uid' },
    whatToTrace: 'uid',
    timeout: 72_000,
    requireToken: 1,
    captcha_mail_enabled: 0,
    captcha_register_enabled: 0,
    locationRules: { '127.0.0.1': { default: 'accept' } },
    // Otherwise a sign-out within 15 s of a sign-in may leave out a client.
    handlerInternalCache: 0,
    globalStorage: 'Apache::Session::File',
    globalStorageOptions: sessionFolder(folder, 'sessions'),
    persistentStorage: 'Apache::Session::File',
    persistentStorageOptions: sessionFolder(folder, 'psessions'),
    localSessionStorage: 'Cache::FileCache',
    localSessionStorageOptions: {
      namespace: 'sessions',
      default_expires_in: 600,
      directory_umask: '007',
      cache_root: `${folder}/cache`,
      cache_depth: 3,
    },
    issuerDBOpenIDConnectActivation: 1,
    oidcServiceMetaDataIssuer: issuer,
    oidcServicePrivateKeySig: privateKey,
    oidcServicePublicKeySig: publicKey,
    oidcServiceKeyIdSig: 'key-1',
    oidcServiceAllowAuthorizationCodeFlow: 1,
    oidcRPMetaDataOptions: byClient(options),
    oidcRPMetaDataExportedVars: byClient(() => ({
      name: 'cn',
      email: 'mail',
      preferred_username: 'uid',
    })),
  }
}

function options(client: LemonLdapClient): Record<string, string | number> {
  const values = {
    ClientID: client.id,
    ClientSecret: client.secret,
    DisplayName: client.id,
    RedirectUris: client.redirectUri,
    PostLogoutRedirectUris: client.postLogoutRedirectUri,
    LogoutUrl: client.logout.url,
    LogoutType: client.logout.channel,
    LogoutSessionRequired: 1,
    BypassConsent: 1,
    LogoutBypassConfirm: 1,
    RefreshToken: 1,
    AllowOffline: 1,
    IDTokenSignAlg: 'RS256',
    IDTokenForceClaims: 1,
  }
  const entries = Object.entries(values)
  return Object.fromEntries(entries.map(([name, value]) => [`oidcRPMetaDataOptions${name}`, value]))
}

function sessionFolder(folder: string, name: string): Record<string, string> {
  return {
    Directory: `${folder}/${name}`,
    LockDirectory: `${folder}/${name}/lock`,
    generateModule: 'Lemonldap::NG::Common::Apache::Session::Generate::SHA256',
  }
}

/** What it reads first: where its configuration is. */
export function startFile(folder: string, root: string): string {
  return `[all]
logger = Lemonldap::NG::Common::Logger::Std
userLogger = Lemonldap::NG::Common::Logger::Std
logLevel = notice
[configuration]
type = File
dirName = ${folder}/conf
localStorage = Cache::FileCache
localStorageOptions = {'namespace'=>'configuration','cache_root'=>'${folder}/cache'}
[portal]
staticPrefix = /static
templateDir = ${root}/usr/share/lemonldap-ng/portal/templates
languages = en
`
}

/** The program that starman serves. */
export const portal = `use strict;
use Lemonldap::NG::Portal::Main;
Lemonldap::NG::Portal::Main->run({});
`
