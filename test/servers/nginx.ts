/**
 * nginx with the dav-ext module. It refuses Depth infinity and has no ETags. A listing leaves out unknown properties and
 * names with a leading dot. A DELETE never answers 207 and does not check the locks of members.
 */
import {formatPasswordFile} from './support/password-file.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const DAV_EXT = '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'

function configuration({folder, root, port, log}: Site): string {
  return `
load_module ${DAV_EXT};
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${log};
events {
  worker_connections 256;
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
      dav_ext_lock zone=locks;
    }
    location /private/ {
      dav_ext_lock zone=locks;
      auth_basic private;
      auth_basic_user_file ${folder}/passwords;
    }
  }
}
`
}

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
  files: (site) => ({
    'nginx.conf': configuration(site),
    passwords: formatPasswordFile(site.account),
  }),
  args: (site) => ['-e', site.log, '-c', `${site.folder}/nginx.conf`],
}
