/** Proxies with TLS and HTTP/2 before a server of HTTP/1.1: HAProxy and nginx, each with its own folder and port. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdtemp, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {connect} from 'node:tls'
import type {Certificate} from '../../support/certificate.ts'
import {giveToServer, serverAccount} from './account.ts'
import {removeFolder} from './disk.ts'
import {freePort} from './port.ts'
import {findProgram} from './recipe.ts'

export interface Front extends AsyncDisposable {
  readonly port: number
  /** URL of the root, with its slash. */
  readonly url: string
}

/** A silent server is given up after this time. */
const STALL_SECONDS = 1

interface Kind {
  readonly program: string
  readonly arguments: (file: string) => readonly string[]
  readonly configuration: (folder: string, port: number, to: number, requests: number) => string
}

export type FrontName = 'haproxy' | 'nginx'

const KINDS: Readonly<Record<FrontName, Kind>> = {
  haproxy: {
    program: 'haproxy',
    arguments: (file) => ['-db', '-f', file],
    configuration: (folder, port, to) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server ${STALL_SECONDS}s
frontend tls
  bind 127.0.0.1:${port} ssl crt ${folder}/both.pem alpn h2,http/1.1
  default_backend dav
backend dav
  server dav 127.0.0.1:${to}
`,
  },
  nginx: {
    program: 'nginx',
    arguments: (file) => ['-c', file],
    configuration: (folder, port, to, requests) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/server.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests ${requests};
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${folder}/both.pem;
    ssl_certificate_key ${folder}/both.pem;
    location / {
      proxy_pass http://127.0.0.1:${to};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_read_timeout ${STALL_SECONDS}s;
    }
  }
}
`,
  },
}

/** Tells if a front is installed. */
export function hasFront(name: FrontName): boolean {
  return findProgram(KINDS[name].program) !== undefined
}

/**
 * Starts a front, and waits until it takes connections.
 *
 * @param requests - Streams of one connection, after which nginx sends GOAWAY.
 */
export async function startFront(
  name: FrontName,
  to: number,
  {cert, key}: Certificate,
  requests = 1000,
): Promise<Front> {
  const {program, arguments: parametersOf, configuration} = KINDS[name]
  const path = findProgram(program)
  if (path === undefined) throw new Error(`${program} not found`)
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-front-'))
  await chmod(folder, 0o755)
  const port = await freePort()
  const file = join(folder, 'front.conf')
  await writeFile(join(folder, 'both.pem'), cert + key)
  await writeFile(join(folder, 'server.log'), '')
  await writeFile(file, configuration(folder, port, to, requests))
  await giveToServer(folder)
  const child = spawn(path, parametersOf(file), {cwd: folder, stdio: 'ignore', ...serverAccount()})
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM'))
      await once(child, 'exit')
    await removeFolder(folder)
  }
  for (let tries = 0; !(await accepts(port, cert)); tries++) {
    if (tries > 500 || child.exitCode !== null) {
      const said = await readFile(join(folder, 'server.log'), 'utf8')
      await stop()
      throw new Error(`${name} does not start: ${said}`)
    }
    await delay(20)
  }
  return {port, url: `https://localhost:${port}/`, [Symbol.asyncDispose]: stop}
}

async function accepts(port: number, ca: string): Promise<boolean> {
  const socket = connect({port, host: '127.0.0.1', servername: 'localhost', ca})
  try {
    await once(socket, 'secureConnect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
