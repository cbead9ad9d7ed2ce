/**
 * xandikos 0.2, a calendar server that keeps each collection in a git repository. It answers a PROPFIND for a missing
 * resource with a 207, whose only href is an escaped URL. It builds the href of a member with Python's `urljoin`. A name
 * with a colon becomes the whole href, and leading blanks, tabs and line feeds are lost.
 */
import {notTested} from './locks/rows.ts'
import {listsEverything, type ServerRecipe} from './support/recipe.ts'

const PROGRAM = '/usr/bin/xandikos'

export const xandikos: ServerRecipe = {
  name: 'xandikos 0.2',
  packages: 'xandikos',
  program: 'env',
  modules: [PROGRAM],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: undefined,
    unknownProperties: 'named',
    otherBytes: false,
    basicAuth: false,
  },
  calendars: {
    deleted: 204,
    missing: 207,
    refuses: () => false,
    listedAs: (name) => name.replace(/^[\u0000- ]+/, '').replaceAll(/[\t\n\r]/g, ''),
    hasRelativeHref: (name) => name.includes(':'),
    foldsSlashes: false,
    unknownReport: 'refused',
    syncToken: /^[\da-f]{40}$/,
    isNote: (name) => name === '.git' || name === '.xandikos',
  },
  locks: {
    heading: 'xandikos',
    cells: {...notTested((row) => row !== 'LOCK of a file'), 'LOCK of a file': 405},
  },
  // It has no MOVE.
  syncs: {
    heading: 'xandikos',
    cells: {
      'a renamed member': 'not tested',
      'changes behind an unknown token': 2,
      'no change behind an unknown token': 2,
      // A list of changes without a removal may be a list of all members, so the client asks for one.
      'a change after a restart of the server': 2,
    },
  },
  files: () => ({}),
  args: ({folder, root, port}) => [
    // Its git would read the configuration of the user who runs the tests, or fail without permission.
    `HOME=${folder}`,
    `XDG_CONFIG_HOME=${folder}`,
    PROGRAM,
    `--directory=${root}`,
    '--listen-address=127.0.0.1',
    `--port=${port}`,
  ],
}

/** The same with a principal, `/user/`, and its default calendar and address book. */
export const xandikosWithPrincipal: ServerRecipe = {
  ...xandikos,
  name: 'xandikos 0.2 with a principal',
  args: (site) => [...xandikos.args(site), '--defaults', '--autocreate'],
}
