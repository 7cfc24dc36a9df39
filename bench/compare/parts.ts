import type { PlaceName } from '../scale/places.ts'
import { measureStore } from '../scale/store.ts'
import { apaches } from './apache.ts'
import { measureCalls } from './calls.ts'
import type { Choice } from './choice.ts'
import type { Contestant, Need } from './contestant.ts'
import { bareRoutes, ours, peers, stormed } from './contestants.ts'
import { measureGateway } from './gateway.ts'
import { hearers, verifyOnly } from './hearers.ts'
import { measureHotPath } from './hot-path.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import type { Results } from './results.ts'
import type { Settings } from './settings.ts'
import { measureSignOut } from './sign-out.ts'
import { measureSize } from './size.ts'
import { measureSpace } from './space.ts'
import { measureStorm } from './storm.ts'
import type { Field } from './surroundings.ts'

/** What a part is given. */
export interface Stage {
  readonly field: Field
  readonly choice: Choice
  readonly settings: Settings
}

/** One part of a run: what it measures is kept under the name `rows`. */
export interface Part {
  readonly rows: keyof Results
  /** Without these there is nothing of it. */
  readonly needs: readonly Need[]
  measure(stage: Stage): Promise<Outcome<unknown>>
}

/** Everybody on the hot path. */
export const everybody: readonly Contestant[] = [...bareRoutes, ...ours, ...peers, ...apaches]

/** All parts, by their names on the command line. */
export const parts = {
  'hot-path': {
    rows: 'hotPath',
    needs: [],
    measure: ({ field, choice, settings }) =>
      measureHotPath(choice.withBare(everybody), field, settings['hot-path']),
  },
  'sign-out': {
    rows: 'signOut',
    needs: [],
    measure({ field, choice, settings }) {
      const chosen = hearers.filter(
        ({ contestant }) => contestant.name === verifyOnly || choice.has(contestant),
      )
      return measureSignOut(chosen, field, verifyOnly, settings['sign-out'])
    },
  },
  storm: {
    rows: 'storm',
    needs: [],
    measure: ({ field, choice, settings }) =>
      measureStorm(stormed.filter(choice.has), field, settings.storm),
  },
  gateway: {
    rows: 'gateway',
    needs: ['build'],
    measure: ({ field, settings }) => measureGateway(field, settings.gateway),
  },
  space: {
    rows: 'space',
    needs: [],
    measure({ field, choice, settings }) {
      const weighed = peers.filter((peer) => peer.needs.includes('redis') && choice.has(peer))
      return measureSpace(field, weighed, settings.space)
    },
  },
  scale: {
    rows: 'scale',
    needs: [],
    async measure({ field, choice, settings }) {
      const { attempt, failed } = noFailures()
      const rows: unknown[] = []
      for (const name of ['lmdb', 'redis', 'postgres'] as PlaceName[]) {
        if (name !== 'lmdb' && choice.missingFor([name]) !== undefined) continue
        progress(`sign-outs among many sessions: ${name}`)
        const act = () => measureStore(name, field.oidc, settings.scale[name])
        rows.push(await attempt(name, 1_200, act))
      }
      return { rows: rows.filter((row) => row !== undefined), failed }
    },
  },
  calls: {
    rows: 'calls',
    needs: [],
    measure: async ({ field, settings }) => ({
      rows: await measureCalls(field.oidc, settings.calls),
      failed: {},
    }),
  },
  size: {
    rows: 'size',
    needs: ['build', 'peers'],
    measure: async ({ settings }) => ({ rows: measureSize(settings.size.rounds), failed: {} }),
  },
} as const satisfies Readonly<Record<string, Part>>

/** Their names. */
export type PartName = keyof typeof parts

/** Those of one line share what was started. */
export const together: readonly (readonly PartName[])[] = [
  ['hot-path', 'sign-out'],
  ['storm'],
  ['gateway'],
  ['space'],
  ['scale'],
  ['calls', 'size'],
]
