import type { StartApplication } from './adapter/application.ts'
import { testBodies } from './adapter/bodies.ts'
import { testGuards } from './adapter/guards.ts'
import { testRoutes } from './adapter/routes.ts'

export type { AdapterSetup, RunningApplication, StartApplication } from './adapter/application.ts'

/**
 * Registers the tests that every adapter must pass, with `it` of node:test, Vitest, Jest or Mocha.
 * {@link StartApplication} says what the application has to look like.
 */
export function testAdapter(
  it: (title: string, run: () => Promise<void>) => unknown,
  start: StartApplication,
): void {
  testRoutes(it, start)
  testBodies(it, start)
  testGuards(it, start)
}
