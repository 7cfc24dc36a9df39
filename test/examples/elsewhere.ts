// Preloaded into an example, which is written for the real world: its port and its API are elsewhere here.
import { Server } from 'node:net'

const { PORT, API } = process.env
const { listen } = Server.prototype
const { fetch } = globalThis

Server.prototype.listen = function (this: Server, ...wanted: unknown[]): Server {
  const then = wanted.find((argument) => typeof argument === 'function')
  const ready = (): void => {
    then?.()
    process.send?.('listening')
  }
  return Reflect.apply(listen, this, [Number(PORT), '127.0.0.1', ready])
}

globalThis.fetch = (input, init) =>
  fetch(String(input).replace(/^https:\/\/api\.example\//, `${API}/`), init)
