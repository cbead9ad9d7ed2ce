/**
 * Apache 2.4 with mod_dav: with Debian's configuration, which refuses Depth infinity, with `DavDepthInfinity On`, and open to the
 * pages of an origin. It answers in chunks, escapes hrefs in lower case, and names every ancestor of a resource that it could
 * not delete.
 */
import {readCors} from './support/cors.ts'
import {digestAccounts} from './support/digest.ts'
import {formatDigestFile, formatPasswordFile} from './support/password-file.ts'
import {listsEverything, type ServerRecipe, type Site, withoutReturns} from './support/recipe.ts'

const MODULES = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'dav',
  'dav_fs',
  'dav_lock',
]

const moduleFile = (name: string): string => `/usr/lib/apache2/modules/mod_${name}.so`

const BASIC = `AuthType Basic
  AuthName "private"
  AuthBasicProvider file`

function configuration(
  {folder, root, port, log}: Site,
  infinity: 'On' | 'Off',
  access: string = BASIC,
): string {
  return `
ServerRoot "${folder}"
ServerName 127.0.0.1
Listen 127.0.0.1:${port}
PidFile "${folder}/httpd.pid"
ErrorLog "${log}"
Mutex pthread
${MODULES.map((name) => `LoadModule ${name}_module ${moduleFile(name)}`).join('\n')}
ServerLimit 1
StartServers 1
ThreadsPerChild 32
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
DocumentRoot "${root}"
DavLockDB "${folder}/DavLock"
<Directory "${root}">
  Dav On
  DavDepthInfinity ${infinity}
  AllowOverride None
  Require all granted
</Directory>
<Directory "${root}/private">
  ${access}
  AuthUserFile "${folder}/passwords"
  Require valid-user
</Directory>
`
}

const NO_FILE = 'Apache locks a missing file and makes none, so a GET is answered with 404'

function recipe(name: string, infinity: 'On' | 'Off'): ServerRecipe {
  return {
    name,
    packages: 'apache2',
    program: 'apache2',
    modules: MODULES.map(moduleFile),
    traits: {
      ...listsEverything,
      infinity: infinity === 'On' ? 'answered' : 'refused',
      hrefs: 'path',
      etag: '"3-37c5f2a724080"',
      unknownProperties: 'named',
      basicAuth: true,
    },
    deleting: {
      withoutSlash: 204,
      blocked: {'': 403, a: 403, 'a/kept': 403, 'a/kept/1.txt': 403, 'a/kept/2.txt': 403},
      blockedNamesMembersAlone: false,
      locked: {'': 424, 'a/locked.txt': 423},
    },
    deadProperties: withoutReturns,
    files: (site) => ({
      'httpd.conf': configuration(site, infinity),
      passwords: formatPasswordFile(site.account),
    }),
    args: (site) => ['-f', `${site.folder}/httpd.conf`, '-DFOREGROUND'],
  }
}

export const apache: ServerRecipe = {
  ...recipe('Apache 2.4', 'Off'),
  locks: {
    heading: 'Apache',
    cells: {
      'LOCK of a missing file': {seen: 'success, 404', fault: NO_FILE},
      'LOCK of a missing file, create': {seen: 'success, 404', fault: NO_FILE},
    },
  },
  verbs: {
    heading: 'Apache',
    // The dead properties of the files in a collection.
    isNote: (path) => /(^|\/)\.DAV(\/|$)/.test(path),
    cells: {
      'put: where the server may not write': 500,
      'put: where the server may not write, verify': 500,
      'mkcol: a file that exists': 400,
      'mkcol: a new collection, properties': 'refused',
      'proppatch: a text and a protected property': 409,
      'copy: a collection with a member that the server may not read': 500,
      'move: below a missing collection': 500,
    },
  },
}

const CORS_MODULES = ['headers', 'rewrite']

/** Apache as the pages of an origin need it, with examples/cors/apache.conf. */
export function apacheWithCors(origin: string): ServerRecipe {
  const modules = CORS_MODULES.map((name) => `LoadModule ${name}_module ${moduleFile(name)}\n`)
  return {
    ...recipe('Apache 2.4 with CORS', 'Off'),
    modules: [...MODULES, ...CORS_MODULES].map(moduleFile),
    files: (site) => ({
      'httpd.conf': configuration(site, 'Off') + modules.join('') + readCors('apache', origin),
      passwords: formatPasswordFile(site.account),
    }),
  }
}
export const apacheWithInfinity: ServerRecipe = recipe('Apache 2.4 with DavDepthInfinity', 'On')

// The realm is the name of the protected part, and the lifetime of a nonce is in seconds.
const DIGEST = `AuthType Digest
  AuthName "private"
  AuthDigestProvider file
  AuthDigestNonceLifetime 1`

const DIGEST_MODULES = [...MODULES, 'auth_digest']

/** Apache with Digest, which has MD5 only. */
export const apacheWithDigest: ServerRecipe = {
  ...recipe('Apache 2.4 with Digest', 'Off'),
  digest: {
    isShort: true,
    algorithms: ['MD5'],
    proves: true,
    unlock: 401,
    readsAnonymously: false,
  },
  modules: DIGEST_MODULES.map(moduleFile),
  files: (site) => ({
    'httpd.conf': `LoadModule auth_digest_module ${moduleFile('auth_digest')}\n${configuration(site, 'Off', DIGEST)}`,
    passwords: formatDigestFile(digestAccounts(site), 'private'),
  }),
}
