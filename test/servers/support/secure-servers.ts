/** nginx with dav-ext over TLS: one port for each certificate, good and bad. Apache over TLS, which asks for a client certificate. */
import {type Authority, makeAuthority} from './authority.ts'
import {type Daemon, startDaemon} from './daemon.ts'

const DAV_EXT = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'
const APACHE = '/usr/lib/apache2/modules'

const NAMES = 'DNS:localhost,IP:127.0.0.1'

/** The ports of nginx by their certificates. */
const KINDS = [
  'good',
  'expired',
  'early',
  'elsewhere',
  'self',
  'unknown',
  'demanding',
  'old',
  'plain',
] as const
export type Kind = (typeof KINDS)[number]

export interface SecureServers {
  readonly authority: Authority
  /** An authority that no server and no client knows. */
  readonly stranger: Authority
  readonly nginx: Daemon
  /** Asks for a client certificate of the authority in the handshake. */
  readonly apache: Daemon
  url(kind: Kind): string
  portOf(kind: Kind): number
  readonly apacheUrl: string
  stop(): Promise<void>
}

export async function startSecureServers(): Promise<SecureServers> {
  const authority = await makeAuthority('Corp CA')
  const stranger = await makeAuthority('Strange CA')
  const good = await authority.issue('good', {names: NAMES})
  const certificates = {
    good,
    expired: await authority.issue('expired', {names: NAMES, from: -10, until: -1}),
    early: await authority.issue('early', {names: NAMES, from: 2, until: 7}),
    elsewhere: await authority.issue('elsewhere', {names: 'DNS:dav.example'}),
    self: await authority.issue('self', {names: NAMES, selfSigned: true}),
    unknown: await stranger.issue('unknown', {names: NAMES}),
    demanding: good,
    old: good,
    plain: undefined,
  }
  const extras: Partial<Record<Kind, string>> = {
    demanding: `ssl_verify_client on; ssl_client_certificate ${authority.caFile};`,
    old: 'ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;',
  }
  const nginx = await startDaemon({
    program: 'nginx',
    ports: KINDS.length,
    files: ({folder, ports}) => ({
      'nginx.conf': `
load_module ${DAV_EXT};
daemon off;
worker_processes 1;
pid ${folder}/pid;
error_log ${folder}/errors info;
events {}
http {
  access_log ${folder}/access;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  dav_methods PUT DELETE MKCOL COPY MOVE;
  dav_ext_methods PROPFIND OPTIONS;
  root ${folder};
${KINDS.map((kind, index) => {
  const certificate = certificates[kind]
  const files =
    certificate === undefined
      ? ''
      : `ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile};`
  return `  server { listen 127.0.0.1:${ports[index]}${(certificate && ' ssl') || ''}; ${files} ${extras[kind] ?? ''} }`
}).join('\n')}
}
`,
    }),
    args: ({folder}) => ['-e', `${folder}/errors`, '-c', `${folder}/nginx.conf`],
  })
  const apache = await startDaemon({
    program: 'apache2',
    files: ({folder, ports: [port]}) => ({
      'apache.conf': `
LoadModule mpm_event_module ${APACHE}/mod_mpm_event.so
LoadModule authz_core_module ${APACHE}/mod_authz_core.so
LoadModule dav_module ${APACHE}/mod_dav.so
LoadModule dav_fs_module ${APACHE}/mod_dav_fs.so
LoadModule socache_shmcb_module ${APACHE}/mod_socache_shmcb.so
LoadModule ssl_module ${APACHE}/mod_ssl.so
ServerName localhost
ServerRoot ${folder}
PidFile ${folder}/pid
ErrorLog ${folder}/errors
Listen 127.0.0.1:${port} https
DAVLockDB ${folder}/locks
DocumentRoot ${folder}
SSLEngine on
SSLCertificateFile ${good.certFile}
SSLCertificateKeyFile ${good.keyFile}
SSLCACertificateFile ${authority.caFile}
SSLVerifyClient require
<Directory ${folder}>
  DAV On
  Require all granted
</Directory>
`,
    }),
    args: ({folder}) => ['-D', 'FOREGROUND', '-f', `${folder}/apache.conf`],
  })
  const portOf = (kind: Kind): number => nginx.ports[KINDS.indexOf(kind)] ?? 0
  return {
    authority,
    stranger,
    nginx,
    apache,
    url: (kind) => `${kind === 'plain' ? 'http' : 'https'}://localhost:${portOf(kind)}/`,
    portOf,
    apacheUrl: `https://localhost:${apache.ports[0]}/`,
    async stop() {
      await Promise.all([nginx.stop(), apache.stop()])
      await Promise.all([authority.remove(), stranger.remove()])
    },
  }
}
