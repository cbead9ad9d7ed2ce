/**
 * nephele, a server from npm, in its own process. It writes full URLs as hrefs, and leaves names that are not UTF-8 out
 * of a listing.
 */
import {fileURLToPath} from 'node:url'
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
  // The program lies in the checkout, which another account may not be able to read.
  sharesAccount: true,
  files: () => ({}),
  args: ({root, port}) => [SCRIPT, root, `${port}`],
}
