/**
 * DAViCal 1.1, a calendar server in PHP, on PHP's own web server, with a PostgreSQL of its own. Its scripts make the
 * database at the first start. PostgreSQL listens to a socket in the site's folder only.
 */
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
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
export PGHOST='${folder}' PGUSER=postgres HOME='${folder}' PHP_CLI_SERVER_WORKERS=4
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
  locks: {heading: 'DAViCal', cells: {}},
  syncs: {heading: 'DAViCal', cells: {}},
  files: (site) => ({
    'conf/config.php': configuration(site),
    'router.php': readFileSync(ROUTER, 'utf8'),
    'start.sh': start(site),
  }),
  args: ({folder}) => [`${folder}/start.sh`],
}
