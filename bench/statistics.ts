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

/** Median, least and most, as text. */
export function spread(numbers: readonly number[], digits = 0): string {
  return text(summarize(numbers, digits))
}

/** The middle, or between the two in the middle. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}
