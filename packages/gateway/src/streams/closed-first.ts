import type { Place } from 'coatcheck'
import type { OpenStreams } from './open-streams.ts'

/**
 * The same places, each of which closes what the sessions have open before it is told of their end.
 * `signed_out` comes when all places were told, seconds later where one is slow; they are told as
 * soon as the sessions are removed.
 */
export function closedFirst(places: readonly Place[], streams: OpenStreams): Place[] {
  return places.map((place) => ({
    name: place.name,
    end(ended, signal) {
      for (const { handle } of ended.sessions) streams.end(handle)
      return place.end(ended, signal)
    },
  }))
}
