import type { TestContext } from 'node:test'
import { type DeploymentOptions, deploy, type Upstream, upstream } from './under-test.ts'

/** The lines of a request for a WebSocket, without the first. */
export const UPGRADE = [
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
].join('\r\n')

/** The same with its first line. */
export const WEB_SOCKET = `GET / HTTP/1.1\r\n${UPGRADE}`

/** Of the answers in what came back, in their order. */
export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

/** What has reached the application since this was asked last. */
export function urlsOf({ requests }: Upstream): (string | undefined)[] {
  return requests.splice(0).map(({ url }) => url)
}

/** A gateway with small limits, and the application behind it. */
export interface Started {
  readonly app: Upstream
  readonly origin: string
  /** Path and body of what reached the application to its end. */
  readonly whole: string[]
}

/** Starts one with an application for everybody, which reads what it is sent. */
export async function start(
  t: TestContext,
  limits: DeploymentOptions['limits'] = {},
): Promise<Started> {
  const whole: string[] = []
  const app = await upstream(t, async (request, response) => {
    try {
      let text = ''
      for await (const part of request) text += part
      whole.push(`${request.url} ${text}`)
      response.end()
    } catch {
      // It broke off, as it is meant to.
    }
  })
  const { origin } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    limits: { requestBytes: 1000, headerBytes: 8192, connections: 100, ...limits },
  })
  return { app, origin, whole }
}
