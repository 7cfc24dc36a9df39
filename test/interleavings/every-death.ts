import { chosenPoints } from './points.ts'
import { type Place, run } from './property.ts'
import { CALM, type Scenario, type SignOut } from './scenario.ts'

/**
 * Each kind of sign-out, each step at which its process can die, while a sign-in of the same user
 * comes back to the other process. With `returns` the user also signs in anew right after the death.
 * Resolves with how many there are.
 */
export async function everyDeath(
  place: Place,
  { returns = false, steps = STEPS, inSteps: how = [false, true] } = {},
): Promise<number> {
  let deaths = 0
  for (const signOut of SIGN_OUTS) {
    for (const inSteps of how) {
      for (let after = 0; after < steps; after += 1) {
        const points = chosenPoints((waiting) => after % waiting.length)
        const death = { at: 0, after } as const
        try {
          await run(place, { ...SIGNING_IN, signOuts: [signOut], inSteps, death }, points, {
            returns,
          })
        } catch (error) {
          const what = `${JSON.stringify(signOut)} dies after ${after} steps`
          throw new Error(`${String(error)}\n${what}`, { cause: error })
        }
        deaths += 1
      }
    }
  }
  return deaths
}

/** More than any sign-out has; its worker's steps are among them. */
const STEPS = 16

/** A sign-in comes back meanwhile. */
const SIGNING_IN: Scenario = { ...CALM, callback: { browser: 'same', at: [1] } }

const BACK_CHANNEL = { by: 'back_channel', later: 0, at: 0, twice: false } as const

const SIGN_OUTS: readonly SignOut[] = [
  { by: 'user', at: 0 },
  { ...BACK_CHANNEL, names: 'sid' },
  { ...BACK_CHANNEL, names: 'subject' },
  { ...BACK_CHANNEL, names: 'both' },
  { by: 'administrator', names: 'session', at: 0 },
  { by: 'administrator', names: 'subject', at: 0 },
  { by: 'front_channel', names: 'sid', at: 0 },
]
