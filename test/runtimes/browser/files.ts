/**
 * Stands in for `node:fs` where the tests of the parser run in a browser: the bodies of test/fixtures and test/fuzz/findings,
 * which Vite embeds.
 */
/// <reference types="vite/types/importMeta.d.ts" />

const embedded = import.meta.glob<string>(
  ['/test/fixtures/*.xml', '/test/fuzz/findings/*.{bin,facts}'],
  {query: '?inline', import: 'default', eager: true},
)

const files: ReadonlyMap<string, Uint8Array> = new Map(
  Object.entries(embedded).map(([path, url]) => [path, bytesOf(url)]),
)

/** Reads the bytes of a `data:` URL in Base64. */
function bytesOf(url: string): Uint8Array {
  return Uint8Array.from(atob(url.slice(url.indexOf(',') + 1)), (character) =>
    character.charCodeAt(0),
  )
}

export function existsSync(folder: URL): boolean {
  return readdirSync(folder).length > 0
}

/** Lists the files of an embedded folder. */
export function readdirSync({pathname}: URL): readonly string[] {
  const paths = [...files.keys()].filter((path) => path.startsWith(pathname))
  if (paths.length === 0) throw new Error(`${pathname} is not embedded`)
  return paths.map((path) => path.slice(pathname.length))
}

export function readFileSync({pathname}: URL, encoding: 'utf8'): string
export function readFileSync({pathname}: URL): Uint8Array
export function readFileSync({pathname}: URL, encoding?: 'utf8'): Uint8Array | string {
  const bytes = files.get(pathname)
  if (bytes === undefined) throw new Error(`${pathname} is not embedded`)
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes)
}
