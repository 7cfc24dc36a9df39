import type { Listening } from './client.ts'

/** Hears any of the events after the first connection; returns how to stop. */
export function listen(
  client: Listening,
  events: readonly string[],
  connected: boolean,
  listener: () => void,
): () => void {
  let first = !connected
  const heard = (): void => {
    if (first) first = false
    else listener()
  }
  for (const event of events) client.on(event, heard)
  return () => {
    for (const event of events) client.off(event, heard)
  }
}
