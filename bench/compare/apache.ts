import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../test/servers/ports.ts'
import { startServer } from '../../test/servers/server.ts'
import { inWorkplace } from '../../test/servers/workplace.ts'
import { openBrowser } from './browser.ts'
import { type Contestant, checked, type Running, type Surroundings } from './contestant.ts'
import { ROUTE, SECRET } from './task.ts'

/** mod_auth_openidc on Debian's Apache: the yardstick in C. */
export const apaches: readonly Contestant[] = [
  {
    name: 'bare apache',
    setUp: 'a static file, mpm_event',
    packages: [],
    needs: ['apache'],
    start: startBare,
  },
  ...(['shm', 'redis'] as const).map((cache) => ({
    name: `mod_auth_openidc, ${cache}`,
    bare: 'bare apache',
    setUp: `server-side sessions (its default), OIDCCacheType ${cache}`,
    packages: [],
    needs: cache === 'redis' ? (['apache', 'redis'] as const) : (['apache'] as const),
    start: (surroundings: Surroundings) => startGuarded(surroundings, cache),
  })),
]

/** Where Debian puts them. */
const APACHE = '/usr/sbin/apache2'
const MODULES = '/usr/lib/apache2/modules'

const PAGE = JSON.stringify({ sub: 'user-0', length: 1_500 })
const WHO = `${ROUTE}/who`

function startBare(): Promise<Running> {
  return startApache(() => '')
}

async function startGuarded(
  { provider, redis }: Surroundings,
  cache: 'shm' | 'redis',
): Promise<Running> {
  const url = cache === 'redis' ? await redis() : undefined
  return startApache(
    (origin) => `
OIDCProviderMetadataURL ${provider.issuer}/.well-known/openid-configuration
OIDCClientID ${provider.clientId}
OIDCClientSecret "${provider.clientSecret}"
OIDCRedirectURI ${origin}${ROUTE}/callback
OIDCCryptoPassphrase "${SECRET}"
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCSessionType server-cache
OIDCSessionInactivityTimeout 3600
OIDCCookieSameSite On
OIDCCacheType ${cache}
OIDCCacheShmMax 20000
${url === undefined ? '' : `OIDCRedisCacheServer ${url.replace('redis://', '')}`}
<Location ${ROUTE}>
  AuthType openid-connect
  # Node says by a header that it does not navigate; a browser would.
  OIDCUnAuthAction auth true
  Require valid-user
</Location>
# Only to be seen that it is so: this is not what is measured.
<Location ${WHO}>
  Header set x-sub "expr=%{REMOTE_USER}"
  Header set x-sid "expr=%{req:OIDC_CLAIM_sid}"
  Header set x-token "expr=%{req:OIDC_access_token}"
</Location>
`,
    url,
  )
}

function startApache(site: (origin: string) => string, redis?: string): Promise<Running> {
  return inWorkplace(async (workplace) => {
    const [port = 0] = await freePorts(1)
    const origin = `http://127.0.0.1:${port}`
    const { folder } = workplace
    const guarded = site(origin)
    mkdirSync(join(folder, 'pages', ROUTE), { recursive: true })
    writeFileSync(join(folder, 'pages', ROUTE, 'index.json'), PAGE)
    writeFileSync(join(folder, 'pages', WHO), PAGE)
    writeFileSync(join(folder, 'httpd.conf'), around(folder, port, guarded))
    await startServer({
      name: 'apache',
      port,
      program: APACHE,
      args: ['-f', join(folder, 'httpd.conf'), '-DFOREGROUND'],
      workplace,
      stop: 'SIGTERM',
      answers: async () => (await fetch(`${origin}/`)).status > 0,
    })
    const master = Number(readFileSync(join(folder, 'httpd.pid'), 'utf8'))
    const answer: Running['answer'] = async (cookie) => {
      const response = await fetch(`${origin}${WHO}`, { headers: { cookie }, redirect: 'manual' })
      await response.arrayBuffer()
      if (response.status !== 200) return undefined
      const { headers } = response
      const sid = headers.get('x-sid')
      return {
        sub: headers.get('x-sub') ?? '',
        length: headers.get('x-token')?.length ?? 0,
        ...(sid !== null && { sid }),
      }
    }
    return {
      urls: [origin],
      path: `${ROUTE}/index.json`,
      answer,
      cpu: async () => cpuOfTree(master),
      backchannel: `${origin}${ROUTE}/callback?logout=backchannel`,
      ...(redis !== undefined && { redis }),
      async signIn(user) {
        const browser = openBrowser(user)
        await browser.visit(`${origin}${ROUTE}/index.json`)
        return checked(answer, browser.cookie(`${origin}${ROUTE}/index.json`), user)
      },
    }
  }, 'www-data')
}

function around(folder: string, port: number, guarded: string): string {
  const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'headers', 'mime', 'env']
  const all = guarded === '' ? modules : [...modules, 'auth_openidc']
  return `ServerRoot ${folder}
PidFile ${folder}/httpd.pid
DefaultRuntimeDir ${folder}
Mutex file:${folder} default
Listen 127.0.0.1:${port}
ServerName 127.0.0.1:${port}
${all.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ErrorLog ${folder}/apache.log
LogLevel error
StartServers 2
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
TypesConfig /dev/null
AddType application/json .json
DocumentRoot ${folder}/pages
${guarded}`
}

/** Of a process and its children, in microseconds. Linux counts it in hundredths of a second. */
function cpuOfTree(master: number): number {
  let ticks = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      if (Number(name) !== master && Number(fields[1]) !== master) continue
      ticks += Number(fields[11]) + Number(fields[12])
    } catch {
      // It ended while we looked.
    }
  }
  return ticks * 10_000
}
