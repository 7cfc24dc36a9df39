import { z } from 'zod'
import type { GatewayConfiguration } from './configuration.ts'
import { allDefaults, fileOf, isFilled, isTrustworthy, maybe, positive, text } from './kinds.ts'

const SECRET_FIX =
  'write the secret that you registered at the provider, or name a file in clientSecretFile'
const METHOD_FIX = 'write client_secret_basic or client_secret_post, as registered at the provider'
const ALGORITHM_FIX = 'write the algorithm registered at the provider, such as RS256'

/** The provider, and how this gateway is registered there. */
export const provider: z.ZodType<GatewayConfiguration['provider']> = z
  .strictObject(
    {
      issuer: text(
        {
          what: 'The issuer, exactly as the provider writes it in its tokens.',
          fix: 'write the issuer as the provider does, such as https://op.example, without query or fragment, and without /.well-known/openid-configuration (http is for localhost only)',
        },
        (value) =>
          isTrustworthy(value) && !/[?#@]|\/\.well-known\/openid-configuration\/?$/.test(value),
      ),
      clientId: text(
        { what: 'The client id.', fix: 'write the client id that you registered at the provider' },
        isFilled,
      ),
      clientSecret: maybe(text({ what: 'The client secret.', fix: SECRET_FIX }, isFilled)),
      clientSecretFile: fileOf('A file that holds `clientSecret`.'),
      clientAuthentication: z
        .enum(['client_secret_basic', 'client_secret_post'], METHOD_FIX)
        .default('client_secret_basic')
        .meta({ description: 'How the secret is sent.' }),
      idTokenSignedResponseAlg: text(
        {
          what: 'The one algorithm ID tokens and logout tokens are signed with.',
          fix: ALGORITHM_FIX,
        },
        (value) => /^(RS|PS|ES|HS)(256|384|512)$|^EdDSA$|^Ed25519$/.test(value),
      ).default('RS256'),
      strictLogoutTokens: z
        .boolean('write true or false')
        .default(false)
        .meta({ description: 'Refuse logout tokens without `exp` or without `typ: logout+jwt`.' }),
      userInfo: z.boolean('write true or false').default(false).meta({
        description:
          'Ask UserInfo at sign-in, where the ID token lacks e-mail, name or groups. It is asked once.',
      }),
    },
    'write an object with issuer, clientId and clientSecret',
  )
  .transform(({ clientSecretFile: _, ...rest }) => rest)
  .meta({ description: 'The OpenID Provider, and how this gateway is registered there.' })

const DURATION_FIX = 'write a number of seconds above 0'

/** How long a session may live. */
export const session: z.ZodType<GatewayConfiguration['session']> = allDefaults(
  z.strictObject(
    {
      lifetimeSeconds: maybe(
        positive({
          what: 'From sign-in, whatever happens. Default: 43200, twelve hours.',
          fix: DURATION_FIX,
        }),
      ),
      idleSeconds: maybe(
        positive({ what: 'Without any request. Default: 3600, an hour.', fix: DURATION_FIX }),
      ),
      revalidateSeconds: maybe(
        positive({
          what: 'At least this often the provider is asked whether the session still stands. Default: 900 for a provider that does not announce back-channel logout, otherwise never.',
          fix: DURATION_FIX,
        }),
      ),
    },
    'write an object with lifetimeSeconds, idleSeconds or revalidateSeconds in it',
  ),
).meta({ description: 'How long a session may live.' })
