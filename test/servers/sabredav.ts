/**
 * SabreDAV 1.8 on the built-in web server of PHP. It answers Depth infinity with a 207 of depth 1, and has no ETags for
 * plain files. A name that begins with a byte order mark is listed, but read as Latin-1 and not found again. Its pattern
 * for the last name of a path needs UTF-8 and no line feed. Other names are therefore listed as their collection, and so
 * are all names in a collection with a line feed.
 */
import {listsEverything, type ServerRecipe, type Site} from './support/recipe.ts'

const PHP = '/usr/bin/php'
const SABRE = '/usr/share/php/Sabre/autoload.php'

function application({folder, root}: Site, storage: 'FS' | 'FSExt'): string {
  return `<?php
date_default_timezone_set('UTC');
require '${SABRE}';
use Sabre\\DAV;
$server = new DAV\\Server(new DAV\\${storage}\\Directory('${root}'));
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

const UNSEEN = 'SabreDAV answers 201 to a PUT or MKCOL that the disk refused'

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
  locks: {
    heading: 'SabreDAV',
    cells: {
      'LOCK of a collection with a locked member': {
        seen: 'success, locked',
        fault: 'SabreDAV locks a collection although somebody else has locked a member',
      },
      'LOCK of a file, create': {
        seen: 'success, locked',
        fault: 'SabreDAV ignores If-None-Match of a LOCK',
      },
      'PUT into a collection locked with Depth 0': 'open',
      'DELETE of a member of a collection locked with Depth 0': 'open',
      'MOVE in a collection locked with Depth 0': 'open',
      'PROPPATCH of a locked file': 403,
    },
  },
  verbs: {
    heading: 'SabreDAV',
    // It lets PHP guess the encoding of a name. PHP 8.2 takes some, such as U+023A, for Latin-1.
    renames: (name) => /[^\u0020-\u00FF日]/u.test(name),
    cells: {
      'get: an unchanged file, ifNoneMatch': 'no ETag',
      'get: a file that the server may not read': {
        seen: 'DavNetworkError, untouched',
        fault: 'SabreDAV answers 200 for a file that it may not read, without the content',
      },
      'get: after a break, resume': {
        seen: 'DavNetworkError, untouched',
        fault: 'SabreDAV has no ETag for a plain file, so a GET is not resumed',
      },
      'put: over an unchanged file, ifMatch': 'no ETag',
      'put: where the server may not write': {
        seen: 'success, untouched',
        fault: UNSEEN,
      },
      'put: where the server may not write, verify': {
        seen: 'failure, untouched',
        fault: UNSEEN,
      },
      'put: below a missing collection': 404,
      'mkcol: where the server may not write': {
        seen: 'success, untouched',
        fault: UNSEEN,
      },
      'mkcol: a new collection, properties': 403,
      'proppatch: a text': 403,
      'proppatch: a text of a collection': 403,
      'proppatch: two texts': 403,
      'proppatch: a text and its removal': 403,
      'proppatch: a text, verify': 403,
      'proppatch: elements, verify': 403,
      'proppatch: xml:lang': 403,
      'copy: a collection, depth 0': {
        seen: 'success, partly done',
        fault: 'SabreDAV copies the members too, although Depth is 0',
      },
      'copy: a collection with a member that the server may not read': {
        seen: 'success, partly done',
        fault: 'SabreDAV answers 201 to a COPY, and a file that it may not read is empty there',
      },
      'move: a changed file, ifMatch': {
        seen: 'success, done',
        fault: 'SabreDAV ignores If-Match of a COPY or MOVE',
      },
      'move: a file with a dead property': 403,
      'delete: a collection with members that the server may not delete': {
        seen: 'success, untouched',
        fault: 'SabreDAV answers 204 to a DELETE that the disk refused',
      },
    },
  },
  files: (site) => ({'server.php': application(site, 'FS'), 'start.sh': start(site)}),
  args: ({folder}) => [`${folder}/start.sh`],
}

/** SabreDAV with storage that has ETags and keeps dead properties, in a file of each folder. */
export const sabredavWithProperties: ServerRecipe = {
  ...sabredav,
  name: 'SabreDAV 1.8 with FSExt',
  deadProperties: {textOf: (sent) => sent, keepsElements: false},
  files: (site) => ({...sabredav.files(site), 'server.php': application(site, 'FSExt')}),
}
