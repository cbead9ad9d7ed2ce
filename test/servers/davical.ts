/**
 * DAViCal 1.1, a calendar server in PHP, on PHP's own web server, with a PostgreSQL of its own. Its scripts make the
 * database at the first start. PostgreSQL listens to a socket in the site's folder only.
 */
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {notTested} from './locks/rows.ts'
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const ROUTER = fileURLToPath(new URL('support/davical-router.php', import.meta.url))
const DAVICAL = '/usr/share/davical'
const ACCOUNT = {user: 'admin', password: 'secret'}

function configuration({folder}: Site): string {
  return `<?php
$c->pg_connect[] = 'dbname=davical user=davical_app host=${folder}';
$c->admin_email = 'admin@example.org';
$c->readonly_webdav_collections = false;
$c->default_locale = 'en';
`
}

function start({folder, port}: Site): string {
  const include = `${folder}/conf:${DAVICAL}/inc:/usr/share/awl/inc:/usr/share/php`
  return `
programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
export PGHOST='${folder}' PGUSER=postgres HOME='${folder}'
[ -d '${folder}/database' ] ||
  "$programs/initdb" -D '${folder}/database' -U postgres -A trust -E UTF8 --locale=C.UTF-8 || exit
"$programs/postgres" -D '${folder}/database' -k '${folder}' -c listen_addresses= -c fsync=off &
trap 'kill $(jobs -p); wait' TERM
until "$programs/pg_isready" -q; do sleep 0.1; done
psql -lqtA | grep -q '^davical|' ||
  bash ${DAVICAL}/dba/create-database.sh davical ${ACCOUNT.password}
php -d display_errors=0 -d error_reporting=0 -d include_path='${include}' \\
  -S 127.0.0.1:${port} -t ${DAVICAL}/htdocs '${folder}/router.php' &
wait
`
}

const NO_FILE = 'DAViCal locks a missing file and makes none, so a GET is answered with 404'

export const davical: ServerRecipe = {
  name: 'DAViCal 1.1',
  packages: 'davical php-cli php-pgsql php-curl php-xml postgresql',
  program: 'bash',
  modules: [
    `${DAVICAL}/htdocs/caldav.php`,
    `${DAVICAL}/dba/create-database.sh`,
    '/usr/bin/php',
    '/usr/bin/psql',
  ],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'named',
    basicAuth: false,
  },
  groupware: {
    home: '/caldav.php/admin/',
    stores: 'calendars',
    account: ACCOUNT,
  },
  locks: {
    heading: 'DAViCal',
    cells: {
      // It keeps members in calendars and address books only, and those in no other collection.
      ...notTested((row) => row.includes('collection')),
      'LOCK of a collection': 'open',
      // A 207 with 423, whose href lacks the first segment of the path.
      'LOCK of a file, twice by one client': 424,
      'LOCK of a locked file': 424,
      'LOCK of a missing file': {seen: 'success, 404', fault: NO_FILE},
      'LOCK of a missing file, create': {seen: 'success, 404', fault: NO_FILE},
      'LOCK of a file, create': {
        seen: 'success, locked',
        fault: 'DAViCal ignores If-None-Match of a LOCK',
      },
      'LOCK of a file, shared by two clients': 422,
      refresh: 400,
      'PROPPATCH of a locked file': 'open',
      'COPY onto a locked file': 400,
      'MOVE onto a locked file': 'open',
      'PUT over a file whose lock somebody else removed': {
        seen: 'success, UNLOCK 204',
        fault: 'DAViCal takes any token for a resource that is not locked',
      },
      'COPY onto a locked file, no overwrite': 400,
    },
  },
  syncs: {
    heading: 'DAViCal',
    cells: {
      // It names the last change before the token again, so the client looks whether it answers with all members.
      'a changed, a new and a deleted member': 2,
      'a renamed member': 2,
      'three changes in pages of two': 2,
      'changes behind an unknown token': 3,
      // A list of changes without a removal may be a list of all members, so the client asks for one.
      'a change after a restart of the server': 2,
    },
  },
  files: (site) => ({
    'conf/config.php': configuration(site),
    'router.php': readFileSync(ROUTER, 'utf8'),
    'start.sh': start(site),
  }),
  args: ({folder}) => [`${folder}/start.sh`],
}
