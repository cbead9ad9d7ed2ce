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

export function existsSync({pathname}: URL): boolean {
  return [...files.keys()].some((path) => path.startsWith(pathname))
}

export function readdirSync({pathname}: URL): readonly string[] {
  return [...files.keys()]
    .filter((path) => path.startsWith(pathname))
    .map((path) => path.slice(pathname.length))
}

export function readFileSync({pathname}: URL, encoding: 'utf8'): string
export function readFileSync({pathname}: URL): Uint8Array
export function readFileSync({pathname}: URL, encoding?: 'utf8'): Uint8Array | string {
  const bytes = files.get(pathname)
  if (bytes === undefined) throw new Error(`${pathname} is not embedded`)
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes)
}
