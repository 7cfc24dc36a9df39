import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lemonLdapRoot } from '../../scripts/programs.ts'
import { type LemonLdapClient, portal, settings, startFile } from './lemonldap-settings.ts'
import { freePorts } from './ports.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace } from './workplace.ts'

export type { LemonLdapClient } from './lemonldap-settings.ts'

/** A LemonLDAP::NG: an OpenID Provider that nobody of ours wrote, in Perl, under starman. */
export interface LemonLdap extends Server {
  /** `http://127.0.0.1:port/`, with the slash at the end that is its own default. */
  readonly issuer: string
  /** Where a browser that comes here signs out, and the clients are told. */
  readonly signOutUrl: string
  /** Users of its demonstration directory. The password of each is the name. */
  readonly users: readonly ['dwho', 'rtyler', 'msmith']
}

/** Starts one that knows these clients. */
export function startLemonLdap({
  clients,
}: {
  readonly clients: readonly LemonLdapClient[]
}): Promise<LemonLdap & Closable> {
  return inWorkplace(async (workplace) => {
    const [port = 0] = await freePorts(1)
    const { folder } = workplace
    const issuer = `http://127.0.0.1:${port}/`
    for (const name of ['conf', 'cache', 'sessions/lock', 'psessions/lock']) {
      mkdirSync(join(folder, name), { recursive: true })
    }
    const config = { folder, issuer, clients }
    writeFileSync(join(folder, 'conf', 'lmConf-1.json'), JSON.stringify(settings(config)))
    writeFileSync(join(folder, 'lemonldap-ng.ini'), startFile(folder, lemonLdapRoot))
    writeFileSync(join(folder, 'portal.psgi'), portal)
    const perl = ['share/perl5', 'lib/x86_64-linux-gnu/perl5/5.36', 'lib/x86_64-linux-gnu/perl5']
    const server = await startServer({
      name: 'lemonldap',
      port,
      program: 'env',
      args: [
        `PERL5LIB=${perl.map((path) => join(lemonLdapRoot, 'usr', path)).join(':')}`,
        `LLNG_DEFAULTCONFFILE=${join(folder, 'lemonldap-ng.ini')}`,
        'perl',
        join(lemonLdapRoot, 'usr/bin/starman'),
        ...['--listen', `127.0.0.1:${port}`],
        // While one of them tells a client of a sign-out, the client asks another for the keys.
        ...['--workers', '3', '--preload-app'],
        // It hangs up after an idle second without a word, and a code must not be sent twice.
        '--disable-keepalive',
        join(folder, 'portal.psgi'),
      ],
      workplace,
      stop: 'SIGTERM',
      answers: async () => (await fetch(new URL(DISCOVERY, issuer))).ok,
    })
    return Object.assign(server, {
      issuer,
      signOutUrl: `${issuer}?logout=1`,
      users: ['dwho', 'rtyler', 'msmith'] as const,
    })
  })
}

const DISCOVERY = '.well-known/openid-configuration'
