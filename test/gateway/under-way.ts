import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import type { TestBrowser } from '#coatcheck/testing/index'

/** Something that an application goes on sending for as long as the user is signed in. */
export interface UnderWay {
  /** Resolves when the gateway has ended it. */
  readonly ended: Promise<unknown>
}

/** Opens an event stream of the user in this browser; it is under way when the first event came. */
export async function eventStream(browser: TestBrowser, url: string): Promise<UnderWay> {
  const [response] = (await once(
    get(url, { agent: false, headers: { cookie: browser.cookieHeader(url) } }),
    'response',
  )) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode}.`)
  // It is cut off: what comes before the end is an error.
  response.on('error', () => {})
  const ended = new Promise((resolve) => response.once('close', resolve))
  const [first] = (await once(response, 'data')) as [Buffer]
  if (!first.toString().startsWith('data: ')) throw new Error(`${url} sent no event.`)
  return { ended }
}

/** Opens a WebSocket of the user in this browser; it is under way when it was answered. */
export async function webSocket(browser: TestBrowser, url: string): Promise<UnderWay> {
  const headers = { cookie: browser.cookieHeader(url), origin: new URL(url).origin }
  const socket = new WebSocket(url.replace('http', 'ws'), { headers } as never)
  const ended = new Promise((resolve) => socket.addEventListener('close', resolve))
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const answer = new Promise<MessageEvent>((resolve) => {
    socket.addEventListener('message', resolve)
  })
  socket.send('a coat')
  const { data } = await answer
  if (data !== 'a coat') throw new Error(`${url} did not say back what it heard.`)
  return { ended }
}
