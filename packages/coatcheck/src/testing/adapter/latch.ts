/** A moment that others wait for. */
export interface Latch {
  readonly opened: Promise<void>
  open(): void
}

/** A latch that nobody has opened yet. */
export function latch(): Latch {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}
