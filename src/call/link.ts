/** The next page of a listing, from a Link header. RFC 8288, section 3. */

const TARGET = /[\s,]*<([^>]*)>/y
const PARAMETER =
  /\s*;\s*(?:([!#$%&'*+\-.^`|~\w]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y
// The rest of a link, up to the comma before the next one.
const REST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)*/y

/** The URL reference of the first link that is the next page of a URL, `undefined` if there is none. */
export function findNextPage(header: string | null, url: string): string | undefined {
  if (header === null) return undefined
  for (let at = 0; at < header.length;) {
    const target = matchAt(TARGET, header, at)
    if (target === undefined) {
      at += Math.max(1, matchAt(REST, header, at)?.[0].length ?? 0)
      continue
    }
    at += target[0].length
    const parameters = new Map<string, string>()
    for (let next = matchAt(PARAMETER, header, at); next !== undefined;) {
      const [text, name = '', quoted, bare = ''] = next
      // The first of two parameters with one name counts. RFC 8288, section 3.3.
      const key = name.toLowerCase()
      if (!parameters.has(key)) parameters.set(key, unquote(quoted) ?? bare)
      at += text.length
      next = matchAt(PARAMETER, header, at)
    }
    if (isNext(parameters, url)) return target[1]
    at += matchAt(REST, header, at)?.[0].length ?? 0
  }
  return undefined
}

/** Reports if a link is the next page of a URL. A link with an anchor may be that of another URL. */
function isNext(parameters: ReadonlyMap<string, string>, url: string): boolean {
  const relations = parameters.get('rel')?.toLowerCase().split(/\s+/) ?? []
  const anchor = parameters.get('anchor')
  const isOwn = anchor === undefined || URL.parse(anchor, url)?.href === url
  return relations.includes('next') && isOwn
}

function unquote(quoted: string | undefined): string | undefined {
  return quoted?.replaceAll(/\\(.)/g, '$1')
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at
  return pattern.exec(text) ?? undefined
}
