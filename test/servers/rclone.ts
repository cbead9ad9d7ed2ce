/**
 * rclone 1.60, serving a folder. It lists control characters as their pictures (U+2400 and on), and finds such a name by
 * these only.
 */
import {listsEverything, type ServerRecipe} from './support/recipe.ts'

const IGNORES = 'rclone ignores If-Match and If-None-Match, except for a GET'

export const rclone: ServerRecipe = {
  name: 'rclone serve webdav',
  packages: 'rclone',
  program: 'rclone',
  modules: [],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: '"d9dd3bdce4bf4003"',
    unknownProperties: 'named',
    nameOf: (onDisk) => onDisk.replaceAll(/[\u0000-\u001F\u007F]/g, pictureOf),
    basicAuth: false,
  },
  locks: {
    heading: 'rclone',
    cells: {
      'LOCK of a file, create': {seen: 'success, locked', fault: IGNORES},
      'LOCK of a file, shared by two clients': 501,
      'PROPPATCH of a locked file': 403,
      'PUT into a collection locked with Depth 0': 'open',
      'DELETE of a member of a collection locked with Depth 0': 'open',
      'MOVE in a collection locked with Depth 0': 'open',
      'DELETE of a collection with a locked member': 'open',
      'DELETE of a collection with two locked members': 'open',
      'MOVE of a collection with a locked member': 'open',
      'MOVE out of a locked collection': 412,
    },
  },
  verbs: {
    heading: 'rclone',
    cells: {
      'get: a file that the server may not read': {
        seen: 'DavNetworkError, untouched',
        fault: 'rclone answers 200 for a file that it may not read, and ends the connection',
      },
      'put: over a file, create': {seen: 'success, done', fault: IGNORES},
      'put: over a file, create and requireConditions': 'refused',
      'put: over a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'put: over a changed file, ifMatch and requireConditions': 'refused',
      'put: where the server may not write': 405,
      'put: where the server may not write, verify': 405,
      'put: below a missing collection': 404,
      'mkcol: a collection that exists': {
        seen: 'success, untouched',
        fault: 'rclone answers 201 to a MKCOL of a collection that exists',
      },
      'mkcol: where the server may not write': 405,
      'mkcol: a new collection, properties': 'refused',
      'proppatch: a text': 403,
      'proppatch: a text of a collection': 500,
      'proppatch: two texts': 403,
      'proppatch: a text and its removal': 403,
      'proppatch: a text, verify': 403,
      'proppatch: elements, verify': 403,
      'proppatch: xml:lang': 403,
      'copy: a collection with a member that the server may not read': {
        seen: 'failure, partly done',
        fault: 'rclone leaves an empty file where a COPY failed',
      },
      'move: below a missing collection': 403,
      'move: a missing file': 403,
      'move: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'move: a locked file, lockToken': 412,
      'move: a file with a dead property': 403,
      'delete: a changed file, ifMatch': {seen: 'success, done', fault: IGNORES},
      'delete: a collection with members that the server may not delete': 405,
    },
  },
  files: () => ({'rclone.conf': ''}),
  args: ({folder, root, port}) => [
    'serve',
    'webdav',
    root,
    `--addr=127.0.0.1:${port}`,
    `--config=${folder}/rclone.conf`,
    // Listings are not cached: a new file must be visible at once. In a cached folder, each file with a refused DELETE
    // would answer 404 from then on.
    '--dir-cache-time=0',
    '--vfs-cache-mode=off',
  ],
}

function pictureOf(control: string): string {
  return control === '\u007F' ? '\u2421' : String.fromCharCode(0x2400 + control.charCodeAt(0))
}
