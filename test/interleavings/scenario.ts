import fc, { type Arbitrary } from 'fast-check'

/** One of the two processes. */
export type At = 0 | 1

/** Somebody signs somebody out. */
export type SignOut =
  | {
      readonly by: 'back_channel'
      readonly names: 'sid' | 'subject' | 'both' | 'new_sid'
      /** Its `iat`, in seconds after that of the sign-in under way. */
      readonly later: -1 | 0 | 1
      readonly at: At
      /** The same logout token is delivered to the other process too. */
      readonly twice: boolean
    }
  | { readonly by: 'administrator'; readonly names: 'session' | 'sid' | 'subject'; readonly at: At }
  | { readonly by: 'user'; readonly at: At }
  | { readonly by: 'front_channel'; readonly names: 'sid' | 'cookie'; readonly at: At }
  /** Who is under way is refused; then whoever is found in the raw contents is signed out. */
  | { readonly by: 'everybody'; readonly at: At }

/** Somebody wants an access token. */
export interface Call {
  readonly at: At
  readonly resource: string | undefined
  readonly by: 'cookie' | 'handle'
  readonly force: boolean
}

/** What happens at the same time, to the session of a user A. */
export interface Scenario {
  /** Seconds since A signed in: the access token is good, in its last fifth, or expired. */
  readonly age: 100 | 250 | 310
  readonly calls: readonly Call[]
  /** Requests that count as activity. */
  readonly touches: readonly At[]
  /** A sign-in of the same provider session comes back, in this browser, to these processes. */
  readonly callback: { readonly browser: 'same' | 'other'; readonly at: readonly At[] } | undefined
  readonly signOuts: readonly SignOut[]
  /** Every removal goes one record at a time, as that of very many does. */
  readonly inSteps: boolean
  /** The answer to a claim that was given to a process comes so many seconds later. */
  readonly slowClaim:
    | { readonly at: At; readonly nth: number; readonly seconds: number }
    | undefined
  /** A process dies after so many steps. */
  readonly death: { readonly at: At; readonly after: number } | undefined
}

/** Nothing happens to the session; its access token is expired. */
export const CALM: Scenario = {
  age: 310,
  calls: [],
  touches: [],
  callback: undefined,
  signOuts: [],
  inSteps: false,
  slowClaim: undefined,
  death: undefined,
}

/** Any of them; with `deaths` one process dies in each. */
export function scenarios({ deaths = false } = {}): Arbitrary<Scenario> {
  return fc.record({
    age: fc.constantFrom(310, 100, 250),
    calls: fc.array(call, { maxLength: 3 }),
    touches: fc.array(at, { maxLength: 2 }),
    callback: fc.option(
      fc.record({
        browser: fc.constantFrom('other', 'same'),
        at: fc.constantFrom<readonly At[]>([0], [1], [0, 1]),
      }),
      { nil: undefined },
    ),
    signOuts: fc.array(signOut, { maxLength: 2 }),
    inSteps: fc.boolean(),
    slowClaim: fc.option(
      fc.record({
        at,
        nth: fc.integer({ min: 1, max: 2 }),
        // A refresh must begin within 5 s of its claim, and the claim ends after 30.
        seconds: fc.constantFrom(4, 29, 31),
      }),
      { nil: undefined, freq: 3 },
    ),
    death: deaths ? fc.record({ at, after: fc.nat({ max: 25 }) }) : fc.constant(undefined),
  })
}

const OTHER_API = 'https://api.test/other'

const at = fc.constantFrom<At>(0, 1)

const call: Arbitrary<Call> = fc.record({
  at,
  resource: fc.constantFrom(undefined, OTHER_API),
  by: fc.constantFrom('handle', 'cookie'),
  force: fc.boolean(),
})

const signOut: Arbitrary<SignOut> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      by: fc.constant('back_channel'),
      names: fc.constantFrom('sid', 'subject', 'both', 'new_sid'),
      later: fc.constantFrom(0, -1, 1),
      at,
      twice: fc.boolean(),
    }),
  },
  fc.record({
    by: fc.constant('administrator'),
    names: fc.constantFrom('session', 'sid', 'subject'),
    at,
  }),
  fc.record({ by: fc.constant('user'), at }),
  fc.record({
    by: fc.constant('front_channel'),
    names: fc.constantFrom('sid', 'cookie'),
    at,
  }),
)
