import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the newest Postgres server, in Debian's way: one folder for each version. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : []
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'postgres')))
}

const POSTGRES = '/usr/lib/postgresql'
