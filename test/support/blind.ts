import type { TestContext } from 'node:test'
import type { AuthOptions } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { memoryStore } from '#coatcheck/stores/memory'
import { type Application, settle, startApplication, startClock } from './application.ts'
import { type FaultyStore, faultyStore } from './faulty-store.ts'

/** An application by a test's clock, over a store that fails as the test wants. */
export interface BlindApplication extends Application {
  readonly store: FaultyStore
  /** Lets time pass, little by little, as it does. */
  pass(milliseconds: number): Promise<void>
  /** What a promise comes to, however much time has to pass: half a minute at most. */
  end<T>(work: Promise<T>): Promise<T>
}

const STEP = 250
const LONGEST = 60_000

/** Starts one that ends with its test. */
export async function startBlind(
  t: Pick<TestContext, 'after'>,
  options: Partial<AuthOptions> = {},
): Promise<BlindApplication> {
  const clock = startClock()
  const store = faultyStore(memoryStore({ now: clock.now }), clock)
  const app = await startApplication({
    ...options,
    store,
    given: { clock },
    [environment]: { wait: clock.wait, ...options[environment] },
  })

  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += STEP) {
      clock.forward(Math.min(STEP, milliseconds - passed))
      await settle()
    }
  }

  async function end<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    work.then(over, over)
    await settle()
    for (let passed = 0; !isOver; passed += STEP) {
      if (passed > LONGEST) throw new Error('It hangs.')
      await pass(STEP)
    }
    return work
  }

  const blind = { ...app, store, pass, end }
  t.after(async () => {
    store.fault = undefined
    await end(app.close())
  })
  return blind
}
