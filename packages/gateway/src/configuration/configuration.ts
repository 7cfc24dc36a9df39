/** What a gateway was told, checked and complete. Times are in seconds, sizes in bytes. */
export interface GatewayConfiguration {
  /** The public origin browsers use: `https://apps.example`. */
  readonly origin: string
  readonly provider: {
    readonly issuer: string
    readonly clientId: string
    readonly clientSecret: string | undefined
    /** How the secret is sent. Default `client_secret_basic`. */
    readonly clientAuthentication?: 'client_secret_basic' | 'client_secret_post'
    /** Default `RS256`. */
    readonly idTokenSignedResponseAlg?: string
    /** Default `false`. */
    readonly strictLogoutTokens?: boolean
    /** Claims come from UserInfo too. Default `false`. */
    readonly userInfo?: boolean
  }
  /** At least 32 bytes each; the first seals, all open. The gateway's signing keys are derived from them. */
  readonly keys: readonly string[]
  readonly scope: string
  /** Resource indicators asked for at sign-in, besides those of the applications. */
  readonly resources?: readonly string[]
  readonly session: {
    readonly lifetimeSeconds: number | undefined
    readonly idleSeconds: number | undefined
    readonly revalidateSeconds: number | undefined
  }
  readonly store: StoreConfiguration
  /** Caches that a sign-out reaches too. Default: none. */
  readonly msal?: readonly MsalCacheConfiguration[]
  readonly listen: {
    readonly host: string
    readonly port: number
    /** PEM files; without them it speaks plain HTTP, to a load balancer. */
    readonly tls: { readonly certificate: string; readonly key: string } | undefined
    /** Addresses and ranges whose `X-Forwarded-*` are believed. */
    readonly trustedProxies: readonly string[]
  }
  /** Where applications ask for tokens: a Unix socket or a loopback port; nowhere when left out. */
  readonly tokenEndpoint:
    | { readonly socket: string }
    | { readonly host: string; readonly port: number }
    | undefined
  /** The first whose host and path fit is asked. */
  readonly applications: readonly ApplicationConfiguration[]
  /**
   * At this path a listener of its own answers proxies that ask whether to let a request through;
   * nowhere when left out.
   */
  readonly forwardAuth:
    | {
        readonly path: string
        readonly application: string
        readonly host: string
        readonly port: number
      }
    | undefined
  readonly headers: IdentityHeaderNames
  readonly limits: {
    readonly requestBytes: number
    readonly headerBytes: number
    /** To receive all headers of a request. */
    readonly headersSeconds: number
    /** To receive all of a request; 0 for as long as it takes (large uploads). */
    readonly requestSeconds: number
    /** For the upstream's first byte. */
    readonly upstreamSeconds: number
    readonly connections: number
    /** A stream or WebSocket of a user who signed out in another process is closed so soon. */
    readonly streamCheckSeconds: number
  }
  /**
   * A port of its own for metrics and health. Left out, health is on the gateway's own, and there are
   * no metrics: they are not for the public.
   */
  readonly operations: { readonly host: string; readonly port: number } | undefined
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent' }
}

/** Where sessions are kept. */
export type StoreConfiguration =
  | { readonly kind: 'memory' }
  | { readonly kind: 'lmdb'; readonly path: string }
  | {
      readonly kind: 'redis'
      readonly servers: RedisServers
      readonly confirmReplicas: number | undefined
    }
  | { readonly kind: 'postgres'; readonly url: string }

/** How a Redis is reached. */
export interface RedisServers {
  /** One server, Sentinels that know which is the primary, or nodes of a Cluster that know the others. */
  readonly at:
    | { readonly kind: 'single'; readonly url: string }
    | {
        readonly kind: 'sentinels'
        readonly sentinels: readonly HostAndPort[]
        readonly masterName: string
        readonly username: string | undefined
        readonly password: string | undefined
        readonly database: number
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] }
  readonly username: string | undefined
  readonly password: string | undefined
  /** With it Sentinels and servers are spoken to by TLS; a URL says so by itself. */
  readonly tls: RedisTls | undefined
}

/** PEM files. */
export interface RedisTls {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Where a server listens. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** A Redis in which Microsoft's libraries keep tokens of applications. */
export interface MsalCacheConfiguration {
  /** Of the place, as receipts have it. */
  readonly name: string
  readonly servers: RedisServers
  /** Patterns of keys; `{account}` stands for the home account id. */
  readonly keys: readonly string[]
  readonly withinSeconds: number | undefined
}

/** An application behind the gateway. */
export interface ApplicationConfiguration {
  /** Names it in logs, and is the audience of its tokens unless `audience` is given. */
  readonly name: string
  /** Origin of the application itself: `http://127.0.0.1:5000`. */
  readonly upstream: string
  /** Only requests to this host; any when left out. */
  readonly host: string | undefined
  /** Only paths at or below this one. Default `/`. */
  readonly path: string
  /** Takes the path away before the application sees the request. */
  readonly stripPath: boolean
  /**
   * `public`: anybody, and whoever is signed in is told. `signed_in`: others are sent to sign in.
   * `api`: others get 401; requests that change something must come from the same origin.
   */
  readonly access: 'public' | 'signed_in' | 'api'
  /** Attach the user's access token for this resource; `true` for the one of the sign-in. */
  readonly accessToken:
    | true
    | { readonly resource: string; readonly scope: string | undefined }
    | undefined
  readonly audience: string
  /** Where it hears of sign-outs: OpenID back-channel logout tokens signed by the gateway. */
  readonly backchannelLogoutUri: string | undefined
}

/** Under which names the application reads who is signed in. */
export interface IdentityHeaderNames {
  /** Default `X-Forwarded-User`: the subject. */
  readonly user: string
  /** Default `X-Forwarded-Email`. */
  readonly email: string
  /** Default `X-Forwarded-Preferred-Username`. */
  readonly preferredUsername: string
  /** Default `X-Forwarded-Groups`: separated by commas. */
  readonly groups: string
  /** Default `X-Coatcheck-Identity`: the signed JWT that says the same. */
  readonly identity: string
}
