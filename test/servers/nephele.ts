/**
 * nephele, a server from npm, in its own process. It writes full URLs as hrefs, and leaves names that are not UTF-8 out
 * of a listing.
 */
import {fileURLToPath} from 'node:url'
import {serverAccount} from './support/account.ts'
import {listsEverything, type ServerRecipe} from './support/recipe.ts'

const SCRIPT = fileURLToPath(new URL('support/nephele-server.ts', import.meta.url))

export const nephele: ServerRecipe = {
  name: 'nephele',
  packages: 'none, npm ci brings it',
  program: process.execPath,
  modules: [SCRIPT],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'url',
    etag: '1c9bea0a',
    unknownProperties: 'named',
    otherBytes: false,
    // It looks for a file of its own with a longer name, which no disk takes.
    isUnreadable: (name) => name.length > 245,
    basicAuth: false,
  },
  // It takes white space alone for nothing.
  deadProperties: {
    textOf: (sent) => (/^\s*$/.test(sent) ? '' : sent),
    keepsElements: false,
  },
  // The program lies in the checkout, which another account may not be able to read.
  sharesAccount: true,
  files: () => ({}),
  args: ({root, port}) => [SCRIPT, root, `${port}`],
}

/** nephele as the pages of an origin need it. */
export function nepheleWithCors(origin: string): ServerRecipe {
  return {
    ...nephele,
    name: 'nephele with CORS',
    args: (site) => [...nephele.args(site), origin],
  }
}

/** nephele with an account of its own, which may read every file but write its own only. */
export const nepheleApart: ServerRecipe = {
  ...nephele,
  ...apart(),
  locks: {
    heading: 'nephele',
    cells: {},
  },
  verbs: {
    heading: 'nephele',
    isNote: (path) => path.endsWith('.nephelemeta'),
    cells: {
      // It has to read the checkout, so it reads everything.
      'get: a file that the server may not read': 'not tested',
      'put: where the server may not write': 500,
      'put: where the server may not write, verify': 500,
      'mkcol: where the server may not write': 500,
      'mkcol: a new collection, properties': 'refused',
      'proppatch: elements, verify': {
        seen: 'failure, partly done',
        fault:
          'nephele joins the texts between the elements of a dead property, and adds white space',
      },
      'copy: a collection with a member that the server may not read': 'not tested',
      'copy: below a missing collection': 404,
      'move: below a missing collection': 404,
      'move: a collection with members that the server may not delete': {
        seen: 'failure, partly done',
        fault: 'nephele moves the members one by one: one that stays leaves parts at both ends',
      },
      'delete: a collection with members that the server may not delete': 424,
    },
  },
}

/** The start with another account, if the tests run as root. Else the account of the tests serves. */
function apart(): Partial<ServerRecipe> {
  const account = serverAccount()
  if (account === undefined) return {}
  return {
    name: 'nephele with an account of its own',
    packages: 'util-linux',
    program: 'setpriv',
    args: (site) => [
      // A change of the account resets the parent's death signal.
      '--pdeathsig=TERM',
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      nephele.program,
      ...nephele.args(site),
    ],
  }
}
