import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { dotnetProgram } from '../../scripts/programs.ts'
import { root } from '../../scripts/run.mjs'
import { freePorts } from './ports.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace } from './workplace.ts'

/** An ASP.NET Core application. Its working directory is a temporary folder. */
export interface DotnetServer extends Server {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** What it has printed since it was first started. */
  output(): string
}

/** What an application is started with. */
export interface DotnetOptions {
  /** On top of the environment of this process. Settings are named as in `AzureAd__ClientId`. */
  readonly env?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

/**
 * Compiles the one project in a folder and answers where its assembly is. What was compiled is kept
 * beside the npm packages, so that nothing is compiled, nor asked of NuGet, twice.
 */
export async function buildDotnet(folder: string): Promise<string> {
  const project = readdirSync(folder).find((name) => name.endsWith('.csproj'))
  if (project === undefined) throw new Error(`No .csproj in ${folder}`)
  const place = `${basename(folder)}-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`
  const artifacts = join(root, 'node_modules', '.cache', 'dotnet', place)
  const args = ['build', join(folder, project), '--artifacts-path', artifacts, ...BUILD]
  try {
    await promisify(execFile)(program(), args, { env: environment(), maxBuffer: 2 ** 24 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`dotnet build of ${folder} failed:\n${stdout}${stderr}`, { cause: error })
  }
  const name = basename(project, '.csproj')
  return join(artifacts, 'bin', name, 'release', `${name}.dll`)
}

/**
 * Starts what {@link buildDotnet} compiled on a free port, which it is told by `--urls` and `PORT`,
 * and comes back when it listens.
 */
export function startDotnet(
  dll: string,
  { env = {}, args = [] }: DotnetOptions = {},
): Promise<DotnetServer & Closable> {
  return inWorkplace(async (workplace) => {
    const [port = 0] = await freePorts(1)
    const url = `http://127.0.0.1:${port}`
    const name = basename(dll, '.dll')
    const settings = Object.entries({ ...environment(), PORT: `${port}`, ...env })
    const server = await startServer({
      name,
      port,
      // It becomes what it starts.
      program: 'env',
      args: [...settings.map(([key, value]) => `${key}=${value}`), program(), dll]
        .concat(['--urls', url])
        .concat(args),
      workplace,
      stop: 'SIGTERM',
      answers: () => listens(port),
    })
    const log = join(workplace.folder, `${name}-${port}.log`)
    return Object.assign(server, { url, output: () => readFileSync(log, 'utf8') })
  })
}

function program(): string {
  const found = dotnetProgram()
  if (found === undefined) throw new Error('The .NET 10 SDK is missing.')
  return found
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}

/** It tells nobody that it ran, and leaves no process behind. */
function environment(): Record<string, string> {
  const given = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && NAMES.test(entry[0]),
  )
  return {
    ...Object.fromEntries(given),
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    DOTNET_NOLOGO: '1',
    DOTNET_GENERATE_ASPNET_CERTIFICATE: 'false',
    DOTNET_CLI_USE_MSBUILD_SERVER: '0',
    DOTNET_CLI_UI_LANGUAGE: 'en',
  }
}

const NAMES = /^(PATH|HOME|LANG|TMPDIR|DOTNET_.*|NUGET_.*|SSL_CERT_.*|https?_proxy|no_proxy)$/i
const BUILD = [
  ...['--configuration', 'Release', '--verbosity', 'quiet', '--disable-build-servers'],
  // The audit asks the network, although every package is here.
  '-p:NuGetAudit=false',
]
