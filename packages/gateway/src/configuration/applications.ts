import { z } from 'zod'
import { DEFAULT_HOST, host, port } from './addresses.ts'
import type { ApplicationConfiguration, GatewayConfiguration } from './configuration.ts'
import { isFilled, isHost, isHttpOrigin, isHttpUrl, isPath, maybe, text } from './kinds.ts'

/** The upstream of an application, and of the only one. */
export const upstream: z.ZodType<string> = text(
  {
    what: 'Origin of the application itself.',
    fix: 'write where the application listens, scheme and host only, such as http://127.0.0.1:5000',
  },
  isHttpOrigin,
).transform((value) => new URL(value).origin)

const RESOURCE_FIX = 'write the API it is for as an absolute URI without fragment'
const ACCESS_TOKEN_FIX = 'write true, or an object with resource and, if you like, scope'
const accessToken = z.union(
  [
    z.literal(true, ACCESS_TOKEN_FIX),
    z.strictObject(
      {
        resource: text({ what: 'The API (RFC 8707).', fix: RESOURCE_FIX }, isAbsoluteUri),
        scope: maybe(
          text(
            {
              what: 'Narrower than what was granted at sign-in.',
              fix: 'write scopes with spaces between them',
            },
            isFilled,
          ),
        ),
      },
      ACCESS_TOKEN_FIX,
    ),
  ],
  ACCESS_TOKEN_FIX,
)

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
const NAME_FIX = 'write a name of letters, digits, dots, hyphens and underscores'
const ACCESS_FIX = 'write public, signed_in or api'

const application: z.ZodType<ApplicationConfiguration> = z
  .strictObject(
    {
      name: text({ what: 'Its name in logs.', fix: NAME_FIX }, (value) => NAME.test(value)),
      upstream,
      host: maybe(
        text(
          {
            what: 'Only requests to this host; to any when left out. Another than that of `origin` is for `public` applications.',
            fix: 'write a host as it is in the Host header, in lower case and without scheme, such as apps.example',
          },
          isHost,
        ),
      ),
      path: text(
        {
          what: 'Only paths at or below this one.',
          fix: 'write a path such as /wiki, without query or fragment',
        },
        isPath,
      ).default('/'),
      stripPath: flag('Takes `path` away before the application sees the request.').default(false),
      access: z.enum(['public', 'signed_in', 'api'], ACCESS_FIX).default('signed_in').meta({
        description:
          '`public`: anybody, and whoever is signed in is told. `signed_in`: others are sent to sign in. `api`: others get 401, and what changes something must come from the same origin.',
      }),
      accessToken: maybe(accessToken).meta({
        description:
          'Attach the user’s access token: `true` for the one of the sign-in, or that of a `resource`.',
      }),
      audience: maybe(
        text(
          {
            what: '`aud` of the signed identity and of logout tokens. Default: `name`.',
            fix: 'write the audience that the application expects',
          },
          isFilled,
        ),
      ),
      backchannelLogoutUri: maybe(
        text(
          {
            what: 'Where an application with sessions of its own hears of sign-outs, by OpenID back-channel logout tokens.',
            fix: 'write the http or https URL that takes logout tokens, without fragment',
          },
          isHttpUrl,
        ),
      ),
    },
    'write an object with name and upstream',
  )
  .transform(({ audience, ...rest }) => ({ ...rest, audience: audience ?? rest.name }))

const LIST_FIX = 'write a list of applications, each with name and upstream'

/** The applications behind the gateway. */
export const applications: z.ZodType<readonly ApplicationConfiguration[] | undefined> = maybe(
  z.array(application, LIST_FIX).min(1, LIST_FIX),
).meta({
  description:
    'The applications; the first whose host and path fit is asked. For a single one, `upstream` is enough.',
})

/** What an application is when only `upstream` was written. */
export function onlyApplication(upstream: string): ApplicationConfiguration {
  return {
    name: ONLY_NAME,
    upstream,
    host: undefined,
    path: '/',
    stripPath: false,
    access: 'signed_in',
    accessToken: undefined,
    audience: ONLY_NAME,
    backchannelLogoutUri: undefined,
  }
}

/** The name and audience of an application that was given none. */
export const ONLY_NAME = 'application'

const FORWARD_FIX =
  'write a path such as /forward-auth, or an object with path, application, host and port'
/** Of the listener of forward-auth, where none is written. */
export const FORWARD_PORT = 4181
const FORWARD_PATH = {
  what: 'The path another proxy asks.',
  fix: 'write a path such as /forward-auth',
}

/** Where other proxies ask. */
export const forwardAuth: z.ZodType<
  | (Omit<NonNullable<GatewayConfiguration['forwardAuth']>, 'application'> & {
      readonly application: string | undefined
    })
  | undefined
> = maybe(
  z.union(
    [
      text({ what: 'The path.', fix: FORWARD_FIX }, isPath).transform((path) => ({
        path,
        application: undefined,
        host: DEFAULT_HOST,
        port: FORWARD_PORT,
      })),
      z.strictObject(
        {
          path: text(FORWARD_PATH, isPath),
          application: maybe(
            text(
              {
                what: 'Name of the application it asks for. Default: the first.',
                fix: 'write the name of one of the applications',
              },
              isFilled,
            ),
          ),
          host: host('Its address: one that browsers do not reach.').default(DEFAULT_HOST),
          port: port.default(FORWARD_PORT),
        },
        FORWARD_FIX,
      ),
    ],
    FORWARD_FIX,
  ),
).meta({
  description:
    'Answers nginx `auth_request`, Traefik, Caddy and Envoy at this path of a port of its own. Nowhere when left out. Short: the path.',
})

export type Applications = GatewayConfiguration['applications']

function flag(what: string): z.ZodType<boolean> {
  return z.boolean('write true or false').meta({ description: what })
}

function isAbsoluteUri(value: string): boolean {
  return URL.canParse(value) && !value.includes('#') && !/\s/.test(value)
}
