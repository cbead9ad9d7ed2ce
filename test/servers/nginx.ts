/**
 * nginx with the dav-ext module. It refuses Depth infinity and has no ETags. A listing leaves out unknown properties and
 * names with a leading dot. A DELETE never answers 207 and does not check the locks of members.
 */
import {readCors} from './support/cors.ts'
import {formatPasswordFile} from './support/password-file.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const DAV_EXT = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'

function configuration({folder, root, port, log}: Site, cors = ''): string {
  return `
load_module ${DAV_EXT};
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${log};
events {
  worker_connections 4096;
}
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  dav_ext_lock_zone zone=locks:1m;
  dav_methods PUT DELETE MKCOL COPY MOVE;
  dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
  create_full_put_path on;
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location / {
      ${cors}
      dav_ext_lock zone=locks;
    }
    location /private/ {
      ${cors}
      dav_ext_lock zone=locks;
      auth_basic private;
      auth_basic_user_file ${folder}/passwords;
    }
  }
}
`
}

const IGNORES = 'nginx ignores If-Match and If-None-Match, except for a GET'
const MAKES_PARENTS =
  'nginx makes missing collections for a PUT or MOVE of a file (`create_full_put_path`)'

export const nginx: ServerRecipe = {
  name: 'nginx with dav-ext',
  packages: 'nginx-light libnginx-mod-http-dav-ext',
  program: 'nginx',
  modules: [DAV_EXT],
  traits: {
    ...listsEverything,
    infinity: 'refused',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'left out',
    dotNames: false,
    basicAuth: true,
  },
  deleting: {
    withoutSlash: 409,
    blocked: {'': 500},
    blockedNamesMembersAlone: false,
    locked: {},
  },
  locks: {
    heading: 'nginx',
    cells: {
      'LOCK of a file, create': 304,
      'LOCK of a file, shared by two clients': 423,
      'PROPPATCH of a locked file': 405,
      'DELETE of a collection with a locked member': 'open',
      'DELETE of a collection with two locked members': 'open',
      'MOVE of a collection with a locked member': 'open',
      'PUT over a file whose lock somebody else removed': {
        seen: 'success, UNLOCK 204',
        fault: 'nginx takes any token for a resource that is not locked',
      },
    },
  },
  verbs: {
    heading: 'nginx',
    cells: {
      'put: over a file, create': {seen: 'success, done', fault: IGNORES},
      'put: over a file, create and requireConditions': 'refused',
      'put: over a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'put: over a changed file, ifMatch and requireConditions': 'refused',
      'put: where the server may not write': 500,
      'put: where the server may not write, verify': 500,
      'put: below a missing collection': {seen: 'success, done', fault: MAKES_PARENTS},
      'mkcol: a new collection, properties': 'refused',
      'proppatch: a text': 405,
      'proppatch: a text of a collection': 405,
      'proppatch: two texts': 405,
      'proppatch: a text and its removal': 405,
      'proppatch: a text, verify': 405,
      'proppatch: elements, verify': 405,
      'proppatch: xml:lang': 405,
      'proppatch: a text and a protected property': 405,
      'copy: below a missing collection': 500,
      'copy: a collection, depth 0': {
        seen: 'success, partly done',
        fault: 'nginx copies the members too, although Depth is 0',
      },
      'copy: a collection with a member that the server may not read': {
        seen: 'success, untouched',
        fault: 'nginx answers 201 to a COPY and leaves out a file that it may not read',
      },
      'move: below a missing collection': {seen: 'success, done', fault: MAKES_PARENTS},
      'move: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'move: a file with a dead property': 405,
      'delete: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'delete: a collection with members that the server may not delete': 500,
    },
  },
  files: (site) => ({
    'nginx.conf': configuration(site),
    passwords: formatPasswordFile(site.account),
  }),
  args: (site) => ['-e', site.log, '-c', `${site.folder}/nginx.conf`],
}

/** nginx as the pages of an origin need it, with examples/cors/nginx.conf. */
export function nginxWithCors(origin: string): ServerRecipe {
  return {
    ...nginx,
    name: 'nginx with CORS',
    files: (site) => ({
      ...nginx.files(site),
      'nginx.conf': configuration(site, readCors('nginx', origin)),
    }),
  }
}
