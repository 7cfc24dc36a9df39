import { z } from 'zod'
import type { GatewayConfiguration } from './configuration.ts'
import { isAddressOrRange, isFilled, isLoopback, maybe, text, whole } from './kinds.ts'

const PORT = 'write a port from 0 to 65535 (0: any that is free)'
/** Reached from this machine only. */
export const DEFAULT_HOST = '127.0.0.1'
/** Of the public listener, where none is written. */
export const DEFAULT_PORT = 4180

/** The port of a listener. */
export const port: z.ZodType<number> = whole({ what: 'The port.', fix: PORT }, 0, 65_535)

/** The address of a listener. */
export function host(what: string): z.ZodType<string> {
  return text({ what, fix: 'write an address or name of this machine, such as 0.0.0.0' }, isFilled)
}

/** `8080` or `0.0.0.0:8080`, where only that is to be said. */
function shortAddress(fix: string, onlyLoopback = false): z.ZodType<Address> {
  const ofPort = z
    .number(fix)
    .int(fix)
    .min(0, fix)
    .max(65_535, fix)
    .transform((port) => ({ host: DEFAULT_HOST, port }))
  const ofBoth = z
    .string(fix)
    .refine((value) => {
      const address = addressIn(value)
      return address !== undefined && (!onlyLoopback || isLoopback(address.host))
    }, fix)
    .transform((value) => addressIn(value) ?? { host: DEFAULT_HOST, port: 0 })
  return z.union([ofPort, ofBoth], fix)
}

interface Address {
  readonly host: string
  readonly port: number
}

function addressIn(value: string): Address | undefined {
  const [, host = DEFAULT_HOST, port] =
    /^(?:(\[[\da-f:]+\]|[^\s:/]+):)?(\d{1,5})$/i.exec(value) ?? []
  if (port === undefined || Number(port) > 65_535) return undefined
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

const TLS_FIX = 'write the path of a PEM file'
const tls = z.strictObject(
  {
    certificate: text(
      { what: 'PEM file with the certificate and those that lead to its root.', fix: TLS_FIX },
      isFilled,
    ),
    key: text({ what: 'PEM file with its private key.', fix: TLS_FIX }, isFilled),
  },
  'write certificate and key, each the path of a PEM file',
)

const LISTEN_FIX = 'write a port, host:port, or an object with host, port, tls and trustedProxies'
const PROXY_FIX = 'write a list of addresses and ranges, such as 10.0.0.0/8'

/** Where the gateway hears browsers. */
export const listen: z.ZodType<GatewayConfiguration['listen']> = z
  .union(
    [
      shortAddress(LISTEN_FIX).transform((address) => ({
        ...address,
        tls: undefined,
        trustedProxies: [],
      })),
      z.strictObject(
        {
          host: host('Address to listen at; `0.0.0.0` for all.').default(DEFAULT_HOST),
          port: port.default(DEFAULT_PORT),
          tls: maybe(tls).meta({
            description: 'Without it the gateway speaks plain HTTP, to a load balancer.',
          }),
          trustedProxies: z
            .array(text({ what: '', fix: PROXY_FIX }, isAddressOrRange), PROXY_FIX)
            .default([])
            .meta({ description: 'Addresses and ranges whose `X-Forwarded-*` are believed.' }),
        },
        LISTEN_FIX,
      ),
    ],
    LISTEN_FIX,
  )
  .prefault({})
  .meta({ description: 'Where the gateway listens. Short: a port, or `host:port`.' })

const OPERATIONS_FIX = 'write a port, host:port, or an object with host and port'

/** Where metrics and health are served apart from the applications. */
export const operations: z.ZodType<GatewayConfiguration['operations']> = maybe(
  z.union(
    [
      shortAddress(OPERATIONS_FIX),
      z.strictObject({ host: host('Its address.').default(DEFAULT_HOST), port }, OPERATIONS_FIX),
    ],
    OPERATIONS_FIX,
  ),
).meta({
  description:
    'A port of its own for `/metrics`, `/healthz` and `/readyz`. Left out, the latter two are on the gateway’s own, and there are no metrics. Short: a port, or `host:port`.',
})

const TOKEN_FIX =
  'write unix:/path/of/a/socket, or 127.0.0.1:port: whoever reaches it can ask for access tokens, so it is for this machine only'

/** Where applications ask for tokens. */
export const tokenEndpoint: z.ZodType<GatewayConfiguration['tokenEndpoint']> = maybe(
  z.union(
    [
      z
        .string(TOKEN_FIX)
        .regex(/^unix:.+/, TOKEN_FIX)
        .transform((value) => ({ socket: value.slice('unix:'.length) })),
      shortAddress(TOKEN_FIX, true),
      z.strictObject(
        { socket: text({ what: 'Path of a Unix socket.', fix: TOKEN_FIX }, isFilled) },
        TOKEN_FIX,
      ),
      z.strictObject(
        {
          host: text({ what: 'A loopback address.', fix: TOKEN_FIX }, isLoopback).default(
            DEFAULT_HOST,
          ),
          port,
        },
        TOKEN_FIX,
      ),
    ],
    TOKEN_FIX,
  ),
).meta({
  description:
    'Where applications ask for access tokens: `unix:/path`, or a port or `host:port` of this machine. Nowhere when left out.',
})
