/** The next page that a Link header names. RFC 8288, section 3. */

const TARGET = /[\s,]*<([^>]*)>/y
const PARAMETER =
  /\s*;\s*(?:([!#$%&'*+\-.^`|~\w]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?/y
// What is no part of a link, up to the comma before the next one.
const REST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)*/y

/** The URL reference of the first link that is the next page of a URL, `undefined` where there is none. */
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
      // Of a parameter that stands there twice the first one counts. RFC 8288, section 3.3.
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

/** Whether a link is the next page of a URL: with an anchor it may be that of another one. */
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
