/**
 * lighttpd 1.4 with mod_webdav: with its defaults, which refuse Depth infinity, and with `propfind-depth-infinity`. An
 * answer to Depth infinity ends after the 100th collection without notice: `recursed` in mod_webdav.c should limit
 * levels but counts collections. Names with control characters are listed but refused in a URL with 400. The second
 * instance has that check off and answers 404, because it takes each of them for `_`. A file gets an ETag only if
 * `mimetype.assign` knows its type.
 */
import {digestAccounts} from './support/digest.ts'
import {formatPasswordFile} from './support/password-file.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const MODULES = ['mod_auth', 'mod_authn_file', 'mod_webdav']

const INFINITY = `
webdav.opts = ("propfind-depth-infinity" => "enable")
server.http-parseopts = ("url-ctrls-reject" => "disable")
`

const BASIC = {backend: 'htpasswd', method: '"method" => "basic"'}
const DIGEST = {backend: 'plain', method: '"method" => "digest", "algorithm" => "SHA-256|MD5"'}

function configuration({folder, root, port, log}: Site, access = BASIC): string {
  return `
server.modules = (${MODULES.map((name) => `"${name}"`).join(', ')})
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${root}"
server.errorlog = "${log}"
server.upload-dirs = ("${folder}")
etag.use-inode = "disable"
mimetype.assign = ("" => "application/octet-stream")
webdav.activate = "enable"
webdav.sqlite-db-name = "${folder}/webdav.db"
auth.backend = "${access.backend}"
auth.backend.${access.backend}.userfile = "${folder}/passwords"
auth.require = (
  "/private/" => (${access.method}, "realm" => "private", "require" => "valid-user")
)
`
}

function recipe(name: string, infinity: 'answered' | 'refused'): ServerRecipe {
  const control = infinity === 'answered' ? 404 : 400
  return {
    name,
    packages: 'lighttpd lighttpd-mod-webdav',
    program: 'lighttpd',
    modules: MODULES.map((module) => `/usr/lib/lighttpd/${module}.so`),
    traits: {
      ...listsEverything,
      infinity,
      mostCollections: 100,
      hrefs: 'path',
      etag: '"3088822325"',
      unknownProperties: 'named',
      refusal: (member) => (/[\u0000-\u001F\u007F]/.test(member) ? control : undefined),
      basicAuth: true,
    },
    // A PROPPATCH of an empty value is answered 204, and the property is missing.
    deadProperties: {
      textOf: (sent) => (sent === '' ? undefined : sent),
      keepsElements: false,
    },
    files: (site) => ({
      'lighttpd.conf': configuration(site) + (infinity === 'answered' ? INFINITY : ''),
      passwords: formatPasswordFile(site.account),
    }),
    args: ({folder}) => ['-D', '-f', `${folder}/lighttpd.conf`],
  }
}

const MERGES = 'lighttpd merges a collection into an existing one, although Overwrite is T'
const TEXT_ONLY = 'lighttpd keeps the text of a dead property and loses its elements and xml:lang'

export const lighttpd: ServerRecipe = {
  ...recipe('lighttpd 1.4', 'refused'),
  locks: {
    heading: 'lighttpd',
    cells: {
      'PUT into a collection locked with Depth 0': 'open',
      'DELETE of a member of a collection locked with Depth 0': 'open',
      'MOVE in a collection locked with Depth 0': 'open',
      'MKCOL in a locked collection': 'open',
      'DELETE of a collection with a locked member': 'open',
      'DELETE of a collection with two locked members': 'open',
      'MOVE of a collection with a locked member': 'open',
      'MOVE onto a locked file': 412,
      'MOVE into a locked collection': 412,
    },
  },
  verbs: {
    heading: 'lighttpd',
    cells: {
      'put: where the server may not write': 500,
      'put: where the server may not write, verify': 500,
      'mkcol: a new collection, properties': 'refused',
      'proppatch: elements, verify': {seen: 'failure, partly done', fault: TEXT_ONLY},
      'proppatch: xml:lang': {seen: 'success, partly done', fault: TEXT_ONLY},
      'copy: a collection over a collection': 409,
      'copy: a collection over a collection, overwrite': {
        seen: 'success, partly done',
        fault: MERGES,
      },
      'move: a collection over a collection, overwrite': {
        seen: 'success, partly done',
        fault: MERGES,
      },
      'delete: a collection with members that the server may not delete': 424,
    },
  },
}
export const lighttpdWithInfinity: ServerRecipe = recipe(
  'lighttpd 1.4 with propfind-depth-infinity',
  'answered',
)

/** lighttpd with Digest by SHA-256 and MD5. A nonce lives for ten minutes, which no setting changes. */
export const lighttpdWithDigest: ServerRecipe = {
  ...recipe('lighttpd 1.4 with Digest', 'refused'),
  digest: {
    algorithms: ['SHA-256', 'MD5'],
    proves: false,
    unlock: 401,
    readsAnonymously: false,
  },
  files: (site) => ({
    'lighttpd.conf': configuration(site, DIGEST),
    passwords: digestAccounts(site)
      .map(({user, password}) => `${user}:${password}\n`)
      .join(''),
  }),
}
