// What it costs to read a record in Redis whole, and to ask only whether it is another: decision 021.
import { Redis } from 'ioredis'
import { startRedis } from '../../test/servers/redis.ts'
import { machineLine, thisMachine } from '../machine.ts'
import { summarize } from '../statistics.ts'

const [RECORDS, BYTES, AT_ONCE, READS, ROUNDS] = [200, 3_100, 16, 6_000, 11]
/** State and version stand first in a record. */
const VERSION = 17

/** As `stores/redis` reads: what changes nothing and yet no replica answers. */
const WHOLE = 'GETEX'
/** The same authority, and only one number where the caller has it already. */
const CHECK = `
local bytes = redis.call('GETEX', KEYS[1])
if bytes and string.sub(bytes, 1, ${VERSION}) == ARGV[1] then return 1 end
return bytes`

const server = await startRedis()
const client = new Redis(server.url)
const record = Buffer.alloc(BYTES, 7)
const names = Array.from({ length: RECORDS }, (_, at) => `record-${at}`)
for (const name of names) await client.set(name, record)
const script = String(await client.script('LOAD', CHECK))
const version = record.subarray(0, VERSION)
const ways: Readonly<Record<string, (name: string) => Promise<unknown>>> = {
  'read whole': (name) => client.callBuffer(WHOLE, [name]),
  'version asked for': (name) => client.callBuffer('EVALSHA', [script, '1', name, version]),
}

console.log(machineLine(thisMachine()))
const spent = new Map(
  Object.keys(ways).map((way) => [way, { client: [] as number[], server: [] as number[] }]),
)
for (let round = 0; round <= ROUNDS; round++) {
  for (const [way, read] of Object.entries(ways)) {
    const [cpu, before] = [process.cpuUsage(), await spentByServer()]
    let left = READS
    const reader = async (): Promise<void> => {
      while (left-- > 0) await read(names[left % RECORDS] ?? '')
    }
    await Promise.all(Array.from({ length: AT_ONCE }, reader))
    const { user, system } = process.cpuUsage(cpu)
    const after = await spentByServer()
    // The first warms up.
    if (round === 0) continue
    spent.get(way)?.client.push((user + system) / READS)
    spent.get(way)?.server.push((after - before) / READS)
  }
}
for (const [way, { client, server }] of spent) {
  const [here, there] = [summarize(client, 1), summarize(server, 1)]
  console.log(`${way}: ${here.median} µs of the client's CPU, ${there.median} of the server's`)
}
client.disconnect()
await server.close()

/** In microseconds. */
async function spentByServer(): Promise<number> {
  const told = await client.info('cpu')
  return ['used_cpu_sys', 'used_cpu_user']
    .map((name) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(told)?.[1]) * 1e6)
    .reduce((sum, each) => sum + each, 0)
}
