/** The next page of a listing, from a Link header. RFC 8288, section 3. */

import {HeaderReader, unquote} from '../protocol/header-reader.ts'

const TARGET = /[\s,]*<([^>]*)>/y
const PARAMETER =
  /\s*;\s*(?:([!#$%&'*+\-.^`|~\w]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y
// The rest of a link, or the comma before the next one.
const REST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+|,/y

/** The URL reference of the first link that is the next page of a URL, `undefined` if there is none. */
export function findNextPage(header: string | null, url: string): string | undefined {
  if (header === null) return undefined
  const reader = new HeaderReader(header)
  while (!reader.isAtEnd) {
    const target = reader.take(TARGET)?.[1]
    if (target !== undefined && isNext(readParameters(reader), url)) return target
    reader.take(REST)
  }
  return undefined
}

/** The parameters of a link. The first of two with one name counts. RFC 8288, section 3.3. */
function readParameters(reader: HeaderReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  for (let next = reader.take(PARAMETER); next !== undefined; next = reader.take(PARAMETER)) {
    const [, name = '', quoted, bare = ''] = next
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? bare : unquote(quoted))
  }
  return parameters
}

/** Reports if a link is the next page of a URL. A link with an anchor may be that of another URL. */
function isNext(parameters: ReadonlyMap<string, string>, url: string): boolean {
  const relations = parameters.get('rel')?.toLowerCase().split(/\s+/) ?? []
  const anchor = parameters.get('anchor')
  const isOwn = anchor === undefined || URL.parse(anchor, url)?.href === url
  return relations.includes('next') && isOwn
}
