import type { Listening } from './client.ts'

/** What one connection listens to. It can stop: the application's client lives longer than a store. */
export interface Listeners {
  on(client: Listening, event: string, listener: () => void): void
  /** Hears any of the events after the first connection. */
  afterFirst(
    client: Listening,
    events: readonly string[],
    isConnected: boolean,
    listener: () => void,
  ): void
  stop(): void
}

/** Listens to nothing yet. */
export function createListeners(): Listeners {
  // The nodes of a Cluster come and go: nobody else may want them any more.
  const all: { client: WeakRef<Listening>; event: string; listener: () => void }[] = []

  function on(client: Listening, event: string, listener: () => void): void {
    client.on(event, listener)
    all.push({ client: new WeakRef(client), event, listener })
  }

  return {
    on,
    afterFirst(client, events, isConnected, listener) {
      let isFirst = !isConnected
      const heard = (): void => {
        if (isFirst) isFirst = false
        else listener()
      }
      for (const event of events) on(client, event, heard)
    },
    stop() {
      for (const { client, event, listener } of all.splice(0)) client.deref()?.off(event, listener)
    },
  }
}
