/** One thing the doctor looked at. */
export interface Finding {
  /** `problem`: it does not work so. `warning`: it does, with less than there could be. */
  readonly level: 'fine' | 'warning' | 'problem'
  /** What was looked at: a setting, or a part of the deployment. */
  readonly about: string
  /** What is so, and what to do. */
  readonly text: string
}

/** Makes a {@link Finding} of each level. */
export const fine = (about: string, text: string): Finding => ({ level: 'fine', about, text })
export const warning = (about: string, text: string): Finding => ({ level: 'warning', about, text })
export const problem = (about: string, text: string): Finding => ({ level: 'problem', about, text })
