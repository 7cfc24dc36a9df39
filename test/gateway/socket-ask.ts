import { connect } from 'node:net'

/** Sends a request exactly as it is written, and returns all that comes until the connection ends. */
export async function socketAsk(
  origin: string,
  lines: readonly string[],
  body = '',
): Promise<string> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}
