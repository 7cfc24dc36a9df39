// RFC 6761 section 6.3: names under `.localhost` are loopback. Browsers know that; Node asks the
// operating system, and most of those do not. Every process of the demo imports this first, so that
// `http://op.localhost:…` is the same provider in the browser and in Node. On a real host the name
// would be in the DNS and this file would not exist.

import dns from 'node:dns'

const loopback = { address: '127.0.0.1', family: 4 }
const ask = dns.lookup as (...parameters: unknown[]) => void

type Answer = (error: Error | null, address: unknown, family?: number) => void

function lookup(name: string, options: unknown, answer?: unknown): void {
  if (!/(^|\.)localhost\.?$/i.test(name)) {
    ask(name, options, answer)
    return
  }
  const done = (typeof options === 'function' ? options : answer) as Answer
  const all = typeof options === 'object' && options !== null && 'all' in options && options.all
  if (all) process.nextTick(done, null, [loopback])
  else process.nextTick(done, null, loopback.address, loopback.family)
}

// `net.connect`, and with it `http` and `fetch`, looks this property up at every connection.
dns.lookup = lookup as typeof dns.lookup
