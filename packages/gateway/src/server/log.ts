/** Writes what an operator should know: one event a line, nothing secret in it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/** What a line says beside its message. */
export type LogFields = Readonly<Record<string, unknown>>

/** The levels of the configuration, the most talkative first. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Writes lines of JSON from this level on, to standard output unless told otherwise. */
export function jsonLogger(
  level: LogLevel,
  write: (line: string) => void = (line) => process.stdout.write(line),
): Logger {
  const least = LEVELS.indexOf(level)
  const at = (name: LogLevel): Logger['info'] => {
    if (LEVELS.indexOf(name) < least) return () => undefined
    return (message, fields) => {
      const time = new Date().toISOString()
      write(`${JSON.stringify({ time, level: name, message, ...fields })}\n`)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
