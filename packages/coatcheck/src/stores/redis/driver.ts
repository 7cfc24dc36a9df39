import type { RedisArgument } from './client.ts'

/** What {@link connect} needs of a client, whichever it is. Answers and errors are the driver's own. */
export interface Driver {
  readonly kind: 'single' | 'cluster'
  /** The application has closed the client, or never opened it. One connection of many may come back. */
  readonly isClosed: boolean
  /** Sends to the primary that owns the key, following a Cluster's redirections. */
  send(key: string, command: RedisArgument[]): Promise<unknown>
  /** The same, and tells which primary has run it. */
  write(key: string, command: RedisArgument[]): Promise<Written>
  /** Calls back when a connection was established after the first one, if the client tells. */
  onReconnected(listener: () => void): void
}

/** A primary as this process reaches it. The same object for the same way to it. */
export interface Primary {
  /**
   * WAIT: how many replicas have what was written. Blocks the connection it uses for up to that
   * many milliseconds.
   */
  wait(replicas: number, milliseconds: number): Promise<Waited>
}

/**
 * What ran a command or answered a WAIT. The epoch is another once the connection is another (or
 * the server, where connections are the client's secret): a WAIT of another epoch says nothing
 * about what was written, since a new primary may not have it.
 */
export interface Written {
  readonly answer: unknown
  readonly primary: Primary
  readonly epoch: unknown
}

/** See {@link Written}. */
export interface Waited {
  readonly replicas: number
  readonly epoch: unknown
}
