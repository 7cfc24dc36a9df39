/** What a cell of a table is made of. */
export type Cell = string | number | undefined

/** A Markdown table whose columns are aligned; numbers to the right. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map((cell) => `${cell ?? ''}`))]
  const widths = titles.map((_, at) => Math.max(3, ...cells.map((row) => row[at]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${widths
      .map((width, at) => (at === 0 ? row[at]?.padEnd(width) : row[at]?.padStart(width)))
      .join(' | ')} |`
  const rule = widths.map((width, at) => `${'-'.repeat(width - 1)}${at === 0 ? '-' : ':'}`)
  return [line(titles), line(rule), ...cells.slice(1).map(line)].join('\n')
}
