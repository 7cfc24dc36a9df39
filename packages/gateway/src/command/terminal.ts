import { createInterface } from 'node:readline/promises'

/** Where a command reads and writes. */
export interface Terminal {
  /** What was asked for. */
  print(text: string): void
  /** What a person should know besides, such as why nothing could be done. */
  complain(text: string): void
  /** Whether somebody is there to answer {@link Terminal.confirm}. */
  readonly isAttended: boolean
  /** Asks a person yes or no; anything but a yes is a no. */
  confirm(question: string): Promise<boolean>
}

/** This process's own. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  return {
    print: (text) => void stdout.write(`${text}\n`),
    complain: (text) => void stderr.write(`${text}\n`),
    isAttended: stdin.isTTY === true,
    async confirm(question) {
      const lines = createInterface({ input: stdin, output: stderr })
      try {
        return /^\s*y(es)?\s*$/i.test(await lines.question(`${question} [y/N] `))
      } finally {
        lines.close()
      }
    },
  }
}

/** Columns as wide as their widest cell, two spaces apart. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  }
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
