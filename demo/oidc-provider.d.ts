// The package has no types of its own: the parts of it that the demo uses.
declare module 'oidc-provider' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

  export interface OidcClient {
    readonly clientId: string
    readonly clientName?: string
    metadata(): Readonly<Record<string, unknown>>
  }

  export interface OidcSession {
    readonly accountId?: string
    readonly authorizations?: Readonly<Record<string, unknown>>
    readonly state?: { readonly clientId?: string }
    sidFor(clientId: string): string
  }

  export interface OidcContext {
    status: number
    type: string
    body: unknown
    readonly response: { get(name: string): string; remove(name: string): void }
    readonly oidc: {
      readonly route: string
      readonly client?: OidcClient
      readonly session: OidcSession
      readonly provider: Provider
      readonly params: Readonly<Record<string, string | undefined>>
    }
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: {
      readonly name: string
      readonly details: {
        readonly missingOIDCScope?: readonly string[]
        readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
      }
    }
    readonly params: Readonly<Record<string, string | undefined>>
    readonly session?: { readonly accountId: string }
    readonly grantId?: string
  }

  export interface Grant {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }

  export class Provider {
    static readonly ctx: OidcContext | undefined
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>)
    readonly Client: {
      find(id: string): Promise<OidcClient | undefined>
      readonly prototype: { includeSid(): boolean; metadata(): Readonly<Record<string, unknown>> }
    }
    readonly Grant: {
      find(id: string): Promise<Grant | undefined>
      new (of: { readonly clientId: string; readonly accountId: string }): Grant
    }
    readonly Session: { get(context: unknown): Promise<OidcSession> }
    callback(): RequestListener
    createContext(request: IncomingMessage, response: ServerResponse): unknown
    use(middleware: (context: OidcContext, next: () => Promise<void>) => Promise<void>): void
    // biome-ignore lint/suspicious/noExplicitAny: each event has its own parameters
    on(event: string, listener: (...parameters: any[]) => void): void
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
      options?: { readonly mergeWithLastSubmission?: boolean },
    ): Promise<void>
  }
}
