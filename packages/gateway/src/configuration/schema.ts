import { z } from 'zod'
import { listen, operations, tokenEndpoint } from './addresses.ts'
import { applications, forwardAuth, onlyApplication, upstream } from './applications.ts'
import type { GatewayConfiguration } from './configuration.ts'
import { fileOf, isFilled, isHttpOrigin, isTrustworthy, maybe, text } from './kinds.ts'
import { headers, limits } from './limits.ts'
import { msal } from './msal.ts'
import { provider, session } from './provider.ts'
import { store } from './store.ts'

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
const LOG_FIX = `write one of ${LEVELS.join(', ')}`
const KEY_FIX =
  'write a secret of at least 32 bytes, such as `openssl rand -base64 32` prints, or name a file in keysFile'
const KEYS_FIX = `write a list; each of it: ${KEY_FIX}`
const SCOPE_FIX = 'write scopes with spaces between them, openid among them'
const RESOURCES_FIX = 'write a list of absolute URIs without fragment'

const level = z.enum(LEVELS, LOG_FIX)

/** Everything that can be written. Settings by which others are read from files are gone in the end. */
const file = z
  .strictObject(
    {
      $schema: maybe(text({ what: 'For editors.', fix: 'write the URL of a schema' }, isFilled)),
      origin: text(
        {
          what: 'The public origin that browsers use. No header changes it.',
          fix: 'write the public origin, scheme and host only, without a slash at its end, such as https://apps.example (http is for localhost only)',
        },
        (value) => isHttpOrigin(value) && !value.endsWith('/') && isTrustworthy(value),
      ),
      provider,
      keys: z
        .array(
          text({ what: '', fix: KEY_FIX }, (value) => Buffer.byteLength(value) >= 32),
          KEYS_FIX,
        )
        .min(1, KEYS_FIX)
        .optional()
        .meta({
          description:
            'Secrets of at least 32 bytes. The first seals, all open: put a new one first to rotate.',
        }),
      keysFile: fileOf('A file that holds `keys`, one a line.'),
      upstream: maybe(upstream),
      applications,
      store,
      storeFile: fileOf('A file that holds `store`, where its URL has a password.'),
      msal,
      listen,
      scope: text(
        {
          what: 'Asked for at sign-in. Refresh tokens mostly need `offline_access`.',
          fix: SCOPE_FIX,
        },
        (value) => value.split(' ').includes('openid'),
      ).default('openid profile email'),
      resources: z
        .array(text({ what: '', fix: RESOURCES_FIX }, isResource), RESOURCES_FIX)
        .default([])
        .meta({
          description:
            'Resource indicators (RFC 8707) asked for at sign-in, besides those of `applications`.',
        }),
      session,
      tokenEndpoint,
      forwardAuth,
      headers,
      limits,
      operations,
      log: z
        .union(
          [
            level.transform((level) => ({ level })),
            z.strictObject(
              { level: level.default('info').meta({ description: 'The least that is logged.' }) },
              LOG_FIX,
            ),
          ],
          LOG_FIX,
        )
        .prefault('info')
        .meta({
          description: 'What is logged: `debug`, `info`, `warn`, `error` or `silent`.',
        }),
    },
    'write settings, such as origin, provider, keys and upstream',
  )
  .meta({
    title: 'coatcheck gateway',
    description: 'Configuration of `coatcheck gateway`.',
  })

/** The gateway's configuration, or what the schema says against it. */
export function parse(
  raw: unknown,
):
  | { readonly configuration: GatewayConfiguration }
  | { readonly issues: readonly z.core.$ZodIssue[] } {
  const { data, error } = file.safeParse(raw)
  if (error) return { issues: error.issues }
  const {
    $schema: _schema,
    keysFile: _keysFile,
    storeFile: _storeFile,
    upstream: only,
    applications: many,
    keys = [],
    ...rest
  } = data
  const all = many ?? (only === undefined ? [] : [onlyApplication(only)])
  const forwardAuth = rest.forwardAuth && {
    ...rest.forwardAuth,
    application: rest.forwardAuth.application ?? all[0]?.name ?? '',
  }
  return { configuration: { ...rest, keys, applications: all, forwardAuth } }
}

/** The schema for editors (JSON Schema 2020-12): of what is written, not of what comes out. */
export function jsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(file, { io: 'input' })
}

function isResource(value: string): boolean {
  return URL.canParse(value) && !/[#\s]/.test(value)
}
