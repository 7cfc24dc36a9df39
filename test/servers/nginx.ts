import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace } from './workplace.ts'

/**
 * Starts an nginx with this text where its own configuration has `conf.d`. It has to listen at that
 * port.
 */
export function startNginx(port: number, site: string): Promise<Server & Closable> {
  return inWorkplace((workplace) => {
    const { folder } = workplace
    for (const name of PLACES) mkdirSync(join(folder, name))
    const file = join(folder, 'nginx.conf')
    writeFileSync(join(folder, 'site.conf'), site)
    writeFileSync(file, around(folder))
    return startServer({
      name: 'nginx',
      port,
      program: '/usr/sbin/nginx',
      args: ['-p', folder, '-e', 'stderr', '-c', file],
      workplace,
      stop: 'SIGTERM',
      answers: () => isOpen(port),
    })
  })
}

const PLACES = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** Its own places are the system's, and its workers somebody else, who may not look into ours. */
function around(folder: string): string {
  const places = PLACES.map((name) => `${name}_temp_path ${folder}/${name};`)
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${places.join('\n  ')}
  include ${folder}/site.conf;
}
`
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
