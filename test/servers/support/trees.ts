/**
 * Collections for the tests, written to the disk without the server. Each belongs to the server's account, so that only
 * a test forbids anything.
 */
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {giveToServer} from './account.ts'
import {lock} from './lock.ts'
import type {Server} from './server.ts'

/** Names with a special meaning in a URL, in XML, on another system or for a careless reader. */
export const nastyNames: readonly string[] = [
  'plain.txt',
  'two words',
  ' leading and trailing ',
  '100% sure',
  '%',
  '%zz',
  'a%20b',
  'a%2520b',
  'a%2Fb',
  'x#y',
  'what?',
  'a&b',
  '&amp;',
  'a+b',
  '"double"',
  "it's",
  '<tag>',
  ']]>',
  '<!--',
  'a[b]',
  '{c}',
  '(d)',
  'a;b=c,d',
  'a:b',
  'C:',
  '@user',
  '!$*',
  '~tilde',
  '^`|',
  'back\\slash',
  '.hidden',
  '...',
  'trailing.',
  'new\nline',
  'tab\tand\rreturn',
  'control\u0001',
  'delete\u007F',
  '\u00E9 composed',
  'e\u0301 decomposed',
  '日本語',
  'Ελληνικά',
  'עברית',
  '👩‍👩‍👧.png',
  'no\u00A0break',
  'line\u2028separator',
  '\uFEFFbom',
  'constructor',
  '__proto__',
  'l'.repeat(255),
]

/** Writes a collection with a file and a collection of each name. The size of a file is its index in the list. */
export async function makeNastyCollection(server: Server, name: string): Promise<string> {
  const folder = join(server.root, name)
  await mkdir(join(folder, 'collections'), {recursive: true})
  await mkdir(join(folder, 'files'))
  for (const [index, member] of nastyNames.entries()) {
    await writeFile(join(folder, 'files', member), 'x'.repeat(index))
    await mkdir(join(folder, 'collections', member))
    await writeFile(join(folder, 'collections', member, member), 'x')
  }
  await giveToServer(folder)
  return folder
}

/**
 * Writes a collection with more than 2,000 resources in some 290 collections, down to 16 levels. It has many files in
 * nested collections, a deep path, and empty collections. Each nasty name is a file, a collection with members and an
 * empty collection. Names that are not UTF-8 are included if the server can have them.
 */
export async function makeTree(server: Server, name: string): Promise<string> {
  const folder = join(server.root, name)
  const make = async (collection: string, files: readonly string[] = []): Promise<void> => {
    await mkdir(join(folder, collection), {recursive: true})
    for (const file of files) await writeFile(join(folder, collection, file), 'x')
  }
  for (let index = 0; index < 100; index++) {
    await make(`wide/${Math.floor(index / 10)}/${index % 10}`, numbered(17))
  }
  for (let deep = 'deep', level = 1; level < 16; level++) {
    deep = `${deep}/${level}`
    await make(deep, ['here.txt'])
  }
  for (const member of numbered(10)) await make(`empty/${member}`)
  await make('names/files', nastyNames)
  for (const member of nastyNames) {
    await make(`names/collections/${member}/${member}`, ['file.txt'])
    await make(`names/empty/${member}`)
  }
  if (server.traits.otherBytes) {
    const bytes = (path: string): Buffer => Buffer.from(`${folder}/names/${path}`, 'latin1')
    await mkdir(bytes('caf\xE9'))
    await writeFile(bytes('caf\xE9/cr\xE8me'), 'x')
    await mkdir(bytes('caf\xE9/vid\xE9'))
    await writeFile(bytes('cr\xE8me'), 'x')
  }
  await giveToServer(folder)
  return folder
}

/** Writes a collection with these files, each with its own path as its text, and with the collections that they need. */
export async function makeCollection(
  server: Server,
  name: string,
  files: readonly string[],
): Promise<string> {
  const folder = join(server.root, name)
  await mkdir(folder, {recursive: true})
  for (const collection of new Set(files.map((file) => dirname(join(folder, file))))) {
    await mkdir(collection, {recursive: true})
  }
  await Promise.all(files.map((file) => writeFile(join(folder, file), file)))
  await giveToServer(folder)
  return folder
}

/** The names `0.txt`, `1.txt`, … */
export function numbered(count: number): readonly string[] {
  return Array.from({length: count}, (_, index) => `${index}.txt`)
}

/**
 * Writes a collection in which `a/kept` allows no change. Its two files and every collection above them must stay. The
 * rest may go: `.free`, `a/free.txt`, `b` and `b/free.txt`.
 */
export async function makeBlockedCollection(server: Server, name: string): Promise<string> {
  const files = ['.free', 'a/free.txt', 'a/kept/1.txt', 'a/kept/2.txt', 'b/free.txt']
  const folder = await makeCollection(server, name, files)
  // The mode alone forbids it, for any owner of the folder: the server is never root.
  await chmod(join(folder, 'a', 'kept'), 0o555)
  return folder
}

/** Allows the changes that {@link makeBlockedCollection} forbade. */
export async function unblock(folder: string): Promise<void> {
  await chmod(join(folder, 'a', 'kept'), 0o755)
}

/** Writes a collection in which the server may not read `closed`. Returns a function that allows it again. */
export async function makeClosedCollection(
  server: Server,
  name: string,
): Promise<() => Promise<void>> {
  const folder = await makeCollection(server, name, ['closed/1.txt', 'open/2.txt'])
  const closed = join(folder, 'closed')
  await chmod(closed, 0o000)
  return () => chmod(closed, 0o755)
}

/** Writes a collection with a member that another user has locked. Returns a function that removes the lock too. */
export async function makeLockedCollection(
  server: Server,
  name: string,
): Promise<{folder: string; unlock: () => Promise<void>}> {
  const folder = await makeCollection(server, name, ['a/locked.txt', 'a/open.txt', 'b/open.txt'])
  return {folder, unlock: await lock(server, `${name}/a/locked.txt`)}
}
