// node bench/profile.ts FILE.cpuprofile: which functions a process was in, the most time first.
import { readFileSync } from 'node:fs'

interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const [file = '', most = '35'] = process.argv.slice(2)
const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile

const self = new Map<number, number>()
for (const [at, id] of samples.entries()) {
  self.set(id, (self.get(id) ?? 0) + (timeDeltas[at] ?? 0))
}
const byId = new Map(nodes.map((node) => [node.id, node]))
const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((one) => [one, id])))

const idle = ['(idle)', '(program)', '(root)']
const [own, within] = [new Map<string, number>(), new Map<string, number>()]
let busy = 0
for (const { id, callFrame } of nodes) {
  const time = self.get(id) ?? 0
  if (time === 0 || idle.includes(callFrame.functionName)) continue
  busy += time
  own.set(nameOf(id), (own.get(nameOf(id)) ?? 0) + time)
  const seen = new Set<string>()
  for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
    const name = nameOf(at)
    if (!seen.has(name)) within.set(name, (within.get(name) ?? 0) + time)
    seen.add(name)
  }
}
print('in the function itself', own)
print('in it and what it calls, coatcheck only', within, /packages\/(coatcheck|gateway)/)

function nameOf(id: number): string {
  const frame = byId.get(id)?.callFrame
  const place = frame?.url.replace(/^file:\/\/.*?\/(?=packages|node_modules|bench)/, '') ?? ''
  return `${frame?.functionName || '(anonymous)'} ${place}:${(frame?.lineNumber ?? 0) + 1}`
}

function print(title: string, times: ReadonlyMap<string, number>, only = /./): void {
  console.log(`\n% of busy time, ${title}`)
  const rows = [...times].filter(([name]) => only.test(name)).sort((a, b) => b[1] - a[1])
  for (const [name, time] of rows.slice(0, Number(most))) {
    console.log(`${((100 * time) / busy).toFixed(1).padStart(6)}  ${name}`)
  }
}
