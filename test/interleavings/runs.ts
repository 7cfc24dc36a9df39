import type { Parameters } from 'fast-check'

/**
 * How long to look. By default the same few runs each time, so that a failure is nobody's bad
 * luck; `COATCHECK_RUNS` and `COATCHECK_SEED` (a number) make a soak of it. fast-check prints the
 * seed, the scenario and the schedule of a failure.
 */
export function parameters(usual: number): Pick<Parameters<unknown>, 'numRuns' | 'seed'> {
  return {
    numRuns: Number(process.env['COATCHECK_RUNS'] ?? usual),
    seed: Number(process.env['COATCHECK_SEED'] ?? 20_261_122),
  }
}

/** For `it`: a soak has all the time it wants. */
export const patience: { readonly timeout: number } = {
  timeout: process.env['COATCHECK_RUNS'] === undefined ? 120_000 : 24 * 3_600_000,
}
