import { median } from '../statistics.ts'

/** Several runs of one thing. */
export interface Summary {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Median and spread, with so many digits after the point. */
export function summarize(numbers: readonly number[], digits = 0): Summary {
  const short = (value: number): number => Number(value.toFixed(digits))
  return {
    median: short(median(numbers)),
    least: short(Math.min(...numbers)),
    most: short(Math.max(...numbers)),
  }
}

/** As a table has it. */
export function text({ median, least, most }: Summary): string {
  return `${median} (${least}-${most})`
}
