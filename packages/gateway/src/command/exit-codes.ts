/** How a command ends: for scripts, and for whoever watches a deployment. */
export type ExitCode = typeof FINE | typeof FAILED | typeof WRONG_USE

/** What was asked for was done, and nothing is wrong. */
export const FINE = 0
/** Something was found, or it could not be done. */
export const FAILED = 1
/** The command line or the configuration is wrong: nothing was tried. */
export const WRONG_USE = 2
