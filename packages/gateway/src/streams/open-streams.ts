/** Something that is under way for somebody who is signed in, and ends with the session. */
export interface Stream {
  /** Ends it at once: nothing more goes in either direction. */
  readonly close: () => void
  /** Whether it goes on for as long as it is let. */
  readonly lasts: () => boolean
}

/** What is open in this process, by session. */
export interface OpenStreams {
  /** Notes one. It is closed at once where its session ended a moment ago. */
  add(session: StreamOwner, stream: Stream): void
  /** It ended by itself. */
  remove(session: StreamOwner, stream: Stream): void
  /** A session is over: closes what it has open, and what is about to be. */
  end(handle: string): void
  /** Closes what a session has open now; the session itself may well go on. */
  close(handle: string): void
  /** Sessions that have something open, and since when. */
  owners(): Iterable<OpenSession>
  /** Closes what would not end by itself. */
  closeLasting(): void
  readonly size: number
}

/** The session a stream belongs to. */
export interface StreamOwner {
  readonly handle: string
}

/** A session with something open. */
export interface OpenSession extends StreamOwner {
  /** When it was last known to stand, in milliseconds since the epoch. */
  confirmedAt: number
}

/** Nothing is open. */
export function createOpenStreams(now: () => number = Date.now): OpenStreams {
  const sessions = new Map<string, OpenSession & { readonly streams: Set<Stream> }>()
  /** Sessions that ended while requests of theirs may have been between two steps. */
  const ended = new Map<string, number>()
  let size = 0

  function forgetEnded(): void {
    for (const [handle, at] of ended) {
      if (at > now() - REMEMBERED && ended.size < MOST_REMEMBERED) return
      ended.delete(handle)
    }
  }

  function close(handle: string): void {
    const open = sessions.get(handle)
    if (open === undefined) return
    sessions.delete(handle)
    size -= open.streams.size
    for (const stream of open.streams) stream.close()
  }

  return {
    add({ handle }, stream) {
      if (ended.size > 0 && ended.has(handle)) return stream.close()
      let open = sessions.get(handle)
      if (open === undefined) {
        open = { handle, confirmedAt: now(), streams: new Set() }
        sessions.set(handle, open)
      }
      open.streams.add(stream)
      size += 1
    },

    remove({ handle }, stream) {
      const open = sessions.get(handle)
      if (open?.streams.delete(stream) !== true) return
      size -= 1
      if (open.streams.size === 0) sessions.delete(handle)
    },

    end(handle) {
      forgetEnded()
      ended.set(handle, now())
      close(handle)
    },

    close,

    owners: () => sessions.values(),

    closeLasting() {
      const all = [...sessions.values()].flatMap(({ streams }) => [...streams])
      for (const stream of all) if (stream.lasts()) stream.close()
    },

    get size() {
      return size
    },
  }
}

/** Longer than any request takes from asking for its session to being noted here. */
const REMEMBERED = 60_000
/** Everybody may be signed out at once. */
const MOST_REMEMBERED = 50_000
