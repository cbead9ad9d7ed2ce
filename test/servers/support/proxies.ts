/** The proxies of Debian: tinyproxy, squid with Basic and TLS, and microsocks. */
import {execFile} from 'node:child_process'
import {promisify} from 'node:util'
import type {Certificate} from './authority.ts'
import {type Daemon, startDaemon} from './daemon.ts'

const run = promisify(execFile)

/** An account with characters that a URL has to escape. */
export const PROXY_ACCOUNT = {user: 'ana@corp', password: 'p:s/w%rd'} as const

/** Formats the URL of a proxy with an account. */
export function withAccount(
  url: string,
  {user, password}: {readonly user: string; readonly password: string} = PROXY_ACCOUNT,
): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  return url.replace('://', `://${login}`)
}

export interface Tinyproxy extends Daemon {
  readonly url: string
}

/**
 * Starts tinyproxy 1.11 as Debian configures it: tunnels to the given ports only. It writes each request to its log. An account can
 * have letters and digits only.
 */
export async function startTinyproxy(
  tunnels: readonly number[],
  account?: {readonly user: string; readonly password: string},
): Promise<Tinyproxy> {
  const daemon = await startDaemon({
    program: 'tinyproxy',
    files: ({ports: [port]}) => ({
      'tinyproxy.conf': [
        `Port ${port}`,
        'Listen 127.0.0.1',
        'Allow 127.0.0.1',
        'Timeout 60',
        'LogLevel Connect',
        ...tunnels.map((tunnel) => `ConnectPort ${tunnel}`),
        ...(account ? [`BasicAuth ${account.user} ${account.password}`] : []),
        '',
      ].join('\n'),
    }),
    args: ({folder}) => ['-d', '-c', `${folder}/tinyproxy.conf`],
  })
  return {...daemon, url: `http://127.0.0.1:${daemon.ports[0]}`}
}

export interface Squid extends Daemon {
  readonly url: string
  /** The URL of its port with TLS. */
  readonly secureUrl: string
}

/** Starts squid 5.7 with Basic, and tunnels to the given ports only, as its own configuration does for 443. */
export async function startSquid(
  tunnels: readonly number[],
  certificate: Certificate,
): Promise<Squid> {
  const {user, password} = PROXY_ACCOUNT
  const {stdout: digest} = await run('openssl', ['passwd', '-apr1', password])
  const daemon = await startDaemon({
    program: 'squid',
    ports: 2,
    files: ({folder, ports: [port, secure]}) => ({
      passwords: `${user}:${digest.trim()}\n`,
      'squid.conf': [
        `http_port 127.0.0.1:${port}`,
        `https_port 127.0.0.1:${secure} tls-cert=${certificate.certFile} tls-key=${certificate.keyFile}`,
        `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/passwords`,
        'auth_param basic realm corp',
        'auth_param basic children 1 startup=1',
        'acl known proxy_auth REQUIRED',
        `acl tunnels port ${tunnels.join(' ')}`,
        'acl CONNECT method CONNECT',
        'http_access deny CONNECT !tunnels',
        'http_access allow known',
        'http_access deny all',
        'cache deny all',
        'shutdown_lifetime 0 seconds',
        `pid_filename ${folder}/pid`,
        `access_log stdio:${folder}/access`,
        `cache_log ${folder}/cache`,
        `coredump_dir ${folder}`,
        'pinger_enable off',
        'netdb_filename none',
        '',
      ].join('\n'),
    }),
    args: ({folder, ports: [port]}) => [
      '-N',
      '-n',
      `multistatus${port}`,
      '-f',
      `${folder}/squid.conf`,
    ],
  })
  const [port, secure] = daemon.ports
  return {
    ...daemon,
    url: `http://127.0.0.1:${port}`,
    secureUrl: `https://localhost:${secure}`,
  }
}

export interface Microsocks extends Daemon {
  readonly url: string
}

/** Starts microsocks 1.0, with an account or without. */
export async function startMicrosocks(isProtected: boolean): Promise<Microsocks> {
  const {user, password} = PROXY_ACCOUNT
  const login = isProtected ? ['-u', user, '-P', password] : []
  const daemon = await startDaemon({
    program: 'microsocks',
    args: ({ports: [port]}) => ['-i', '127.0.0.1', '-p', `${port}`, ...login],
  })
  return {...daemon, url: `socks5://127.0.0.1:${daemon.ports[0]}`}
}
