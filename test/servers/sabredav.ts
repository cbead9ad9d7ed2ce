/**
 * SabreDAV 1.8 on the built-in web server of PHP. It answers Depth infinity with a 207 of depth 1, and has no ETags for
 * plain files. A name that begins with a byte order mark is listed, but read as Latin-1 and not found again. Its pattern
 * for the last name of a path needs UTF-8 and no line feed. Other names are therefore listed as their collection, and so
 * are all names in a collection with a line feed.
 */
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const PHP = '/usr/bin/php'
const SABRE = '/usr/share/php/Sabre/autoload.php'

function application({folder, root}: Site): string {
  return `<?php
date_default_timezone_set('UTC');
require '${SABRE}';
use Sabre\\DAV;
$server = new DAV\\Server(new DAV\\FS\\Directory('${root}'));
$server->setBaseUri('/');
$server->addPlugin(new DAV\\Locks\\Plugin(new DAV\\Locks\\Backend\\File('${folder}/locks')));
$server->exec();
`
}

// SIGTERM would end the first process only. After SIGINT to all of them, it waits for the others.
function start({folder, port}: Site): string {
  return `
set -m
export PHP_CLI_SERVER_WORKERS=4
${PHP} -d display_errors=0 -S 127.0.0.1:${port} '${folder}/server.php' &
trap 'kill -INT -- -$!' TERM
wait
wait
`
}

export const sabredav: ServerRecipe = {
  name: 'SabreDAV 1.8',
  packages: 'php-sabre-dav php-cli',
  program: 'bash',
  modules: [PHP, SABRE],
  traits: {
    ...listsEverything,
    infinity: 'cut',
    hrefs: 'path',
    etag: undefined,
    etagOfGet: 'none',
    unknownProperties: 'named',
    otherBytes: false,
    refusal: (member) => (member.startsWith('\uFEFF') ? 404 : undefined),
    hasNamelessMembers: (name) => name.includes('\n'),
    basicAuth: false,
  },
  files: (site) => ({'server.php': application(site), 'start.sh': start(site)}),
  args: ({folder}) => [`${folder}/start.sh`],
}
