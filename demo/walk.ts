import { type Browser, browser } from './browser.ts'
import type { Demo } from './demo.ts'
import { endings } from './steps-endings.ts'
import { others } from './steps-others.ts'
import { signIns } from './steps-sign-in.ts'
import { signOuts } from './steps-sign-out.ts'

/** One line of `--once`. */
export interface Line {
  readonly step: number
  readonly name: string
  readonly held: boolean
  /** What was seen: never a token, a cookie or a secret. */
  readonly observed: Readonly<Record<string, unknown>>
  /** Which expectations did not hold. */
  readonly failed?: readonly string[]
}

/** What the steps share: the demo, two people's browsers, and what one step leaves to the next. */
export interface Walk {
  readonly demo: Demo
  readonly alice: Browser
  readonly bob: Browser
  readonly notes: Notes
}

/** What one step leaves to a later one. Not shown. */
export interface Notes {
  aliceCookie?: string
  heldCall?: ReturnType<Browser['json']>
  release?: () => void
  /** Numbers of refresh tokens, as the provider counts. */
  mintedWhileHeld?: number
}

/** What a step saw, and what it expected of that. */
export interface Seen {
  readonly observed: Readonly<Record<string, unknown>>
  readonly expected: Readonly<Record<string, boolean>>
}

/** One step of the main job. */
export interface Step {
  readonly name: string
  run(walk: Walk): Promise<Seen>
}

/** Walks through the main job, tells each step, and answers whether every one held. */
export async function walk(demo: Demo, tell: (line: Line) => void): Promise<boolean> {
  const shared: Walk = { demo, alice: browser(), bob: browser(), notes: {} }
  let held = true
  for (const [at, step] of [...signIns, ...signOuts, ...others, ...endings].entries()) {
    const line = await take(step, at + 1, shared)
    held &&= line.held
    tell(line)
  }
  return held
}

async function take({ name, run }: Step, step: number, shared: Walk): Promise<Line> {
  try {
    const { observed, expected } = await run(shared)
    const failed = Object.keys(expected).filter((expectation) => !expected[expectation])
    const held = failed.length === 0
    return { step, name, held, observed, ...(!held && { failed }) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { step, name, held: false, observed: { error: why }, failed: ['it ended'] }
  }
}
