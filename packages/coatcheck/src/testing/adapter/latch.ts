/** A moment that others wait for, and what it brings. */
export interface Latch<T = void> {
  readonly opened: Promise<T>
  open(value: T): void
}

/** A latch that nobody has opened yet. */
export function latch<T = void>(): Latch<T> {
  let open = (_value: T): void => undefined
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { opened, open: (value) => open(value) }
}
