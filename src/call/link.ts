/** Finds the next page of a listing in a Link header. Follows nothing itself. RFC 8288, section 3. */

import {HeaderReader, unquote} from '../protocol/header-reader.ts'

const TARGET = /<([^>]*)>/y
const SEPARATOR = /[\s,]+/y
const PARAMETER =
  /\s*;\s*(?:([!#$%&'*+\-.^`|~\w]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y
// The rest of a malformed link up to the next comma, or that comma.
const REST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+|,/y

/** Finds the URL reference of the first link to the next page of a URL; `undefined` without one. */
export function findNextPage(header: string | null, url: string): string | undefined {
  if (header === null) return undefined
  const reader = new HeaderReader(header)
  while (!reader.isAtEnd) {
    reader.take(SEPARATOR)
    const target = reader.take(TARGET)?.[1]
    if (target !== undefined && isNext(readParameters(reader), url)) return target
    reader.take(REST)
  }
  return undefined
}

/** Reads the parameters of a link. Of a repeated name the first one counts. RFC 8288, section 3.3. */
function readParameters(reader: HeaderReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (let next = reader.take(PARAMETER); next !== undefined; next = reader.take(PARAMETER)) {
    const [, name = '', quoted, bare = ''] = next
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? bare : unquote(quoted))
  }
  return parameters
}

/** Recognizes a link to the next page of a URL. A link with an anchor may belong to another URL. */
function isNext(parameters: ReadonlyMap<string, string>, url: string): boolean {
  const relations = parameters.get('rel')?.toLowerCase().split(/\s+/) ?? []
  const anchor = parameters.get('anchor')
  const isOwn = anchor === undefined || URL.parse(anchor, url)?.href === url
  return relations.includes('next') && isOwn
}
