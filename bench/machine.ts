import { cpus, loadavg, totalmem } from 'node:os'

/** On what and when it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGigabytes: number
  readonly node: string
  /** UTC. */
  readonly date: string
  /** Of the last minute, before the first measure: more than a few tenths is somebody else's work. */
  readonly load: number
}

/** This one, now. */
export function thisMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown',
    cores: all.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    load: Number(loadavg()[0]?.toFixed(2)),
  }
}

/** The line on top of tables. */
export function machineLine({ cpu, cores, memoryGigabytes, node, date, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGigabytes} GB, Node ${node.slice(1)}, ${date} UTC, load ${load} at the start`
}
