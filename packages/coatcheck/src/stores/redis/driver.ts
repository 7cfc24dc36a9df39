import type { RedisArgument } from './client.ts'

/** What {@link connect} needs of a client, whichever it is. Answers and errors are the driver's own. */
export interface Driver {
  readonly kind: 'single' | 'cluster'
  /** Sends to the primary that owns the key, following the Cluster's redirections. */
  send(key: string, command: RedisArgument[]): Promise<unknown>
  /** The primary that owns the key, as far as the client knows. */
  server(key: string): Promise<Server>
  /** Listens for connections established after the first; returns how to stop. */
  onReconnected(listener: () => void): () => void
}

/** One server, spoken to directly: a Cluster's redirections are errors here. */
export interface Server {
  send(command: RedisArgument[]): Promise<unknown>
}
