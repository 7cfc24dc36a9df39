import { isTrustworthy } from '../http/trustworthy.ts'
import { ASYMMETRIC_ALGORITHMS } from './key-set.ts'
import type { ProviderOptions } from './options.ts'

/** Algorithms whose key is the client secret (Core 10.1). */
export const SECRET_ALGORITHMS: readonly string[] = ['HS256', 'HS384', 'HS512']

/** Throws a `TypeError` that says what to write where a provider option cannot work. */
export function checkProviderOptions(options: ProviderOptions): void {
  checkIssuer(options.issuer)
  if (typeof options.clientId !== 'string' || options.clientId === '') {
    throw new TypeError('provider.clientId: write the client id you registered at the provider')
  }
  checkClientAuthentication(options)
  checkAlgorithms(options)
  checkNumber('clockSkewSeconds', options.clockSkewSeconds, 0, 300)
  checkNumber('logoutTokenAgeSeconds', options.logoutTokenAgeSeconds, 1, Number.MAX_SAFE_INTEGER)
}

function checkIssuer(issuer: unknown): void {
  const url = typeof issuer === 'string' && URL.canParse(issuer) ? new URL(issuer) : undefined
  if (!url || !isTrustworthy(url)) {
    throw new TypeError(
      'provider.issuer: write the issuer as the provider does, such as https://op.example ' +
        '(http is for localhost only)',
    )
  }
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new TypeError('provider.issuer: write it without query, fragment or user')
  }
}

function checkClientAuthentication(options: ProviderOptions): void {
  const { clientSecret, clientAuthentication: method = 'client_secret_basic' } = options
  if (typeof method === 'object') {
    const key: unknown = method.privateKeyJwt
    if (!(key instanceof CryptoKey) || key.type !== 'private' || !key.usages.includes('sign')) {
      throw new TypeError(
        'provider.clientAuthentication.privateKeyJwt: give a private CryptoKey that may sign',
      )
    }
  } else if (method !== 'client_secret_basic' && method !== 'client_secret_post') {
    throw new TypeError(
      'provider.clientAuthentication: write client_secret_basic, client_secret_post or ' +
        '{ privateKeyJwt }',
    )
  } else if (typeof clientSecret !== 'string' || clientSecret === '') {
    throw new TypeError(
      'provider.clientSecret: write the client secret, or give clientAuthentication: ' +
        '{ privateKeyJwt }',
    )
  }
}

function checkAlgorithms(options: ProviderOptions): void {
  const { idTokenSignedResponseAlg: algorithm = 'RS256', clientSecret, idTokenEncryption } = options
  if (SECRET_ALGORITHMS.includes(algorithm)) {
    if (!clientSecret)
      throw new TypeError(`provider.clientSecret: ${algorithm} needs it as its key`)
  } else if (!ASYMMETRIC_ALGORITHMS.includes(algorithm)) {
    const known = [...ASYMMETRIC_ALGORITHMS, ...SECRET_ALGORITHMS].join(', ')
    throw new TypeError(`provider.idTokenSignedResponseAlg: write one of ${known}`)
  }
  if (idTokenEncryption) {
    const { key, alg, enc } = idTokenEncryption
    if (!key || !alg || !enc || alg.startsWith('PBES2')) {
      throw new TypeError(
        'provider.idTokenEncryption: give key, alg (such as RSA-OAEP, not PBES2) and enc',
      )
    }
  }
}

function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !(value >= least && value <= most)) {
    throw new TypeError(`provider.${name}: write a number of seconds between ${least} and ${most}`)
  }
}
