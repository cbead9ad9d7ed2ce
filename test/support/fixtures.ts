// Loads the 207 bodies of test/fixtures, each with a line on its oddity, and reads bodies synchronously. The RFC's
// examples are named by section (RFC 4918), recordings by server and version.
import {readdirSync, readFileSync} from 'node:fs'
import {type DavResult, MultiStatusParser, type Success, type Summary} from 'multistatus/parser'

export interface Fixture {
  readonly name: string
  readonly url: string
  readonly results: number
  readonly odd: string
}

const example = 'http://www.example.com'
const recorded = 'http://127.0.0.1:39180/docs/'

export const fixtures: readonly Fixture[] = [
  {
    name: 'rfc4918-4.3.1',
    url: `${example}/file`,
    results: 1,
    odd: 'mixed content, CDATA, a comment and xml:lang in one value',
  },
  {
    name: 'rfc4918-9.1.3',
    url: `${example}/file`,
    results: 1,
    odd: 'descriptions on two levels, one broken over two lines',
  },
  {
    name: 'rfc4918-9.1.4',
    url: `${example}/container/`,
    results: 2,
    odd: 'propname: every property is empty, DAV: is the default namespace',
  },
  {
    name: 'rfc4918-9.1.5',
    url: `${example}/container/`,
    results: 2,
    odd: 'hrefs are paths, dates have an offset; the erratum on its end tags is applied',
  },
  {
    name: 'rfc4918-9.1.6',
    url: `${example}/mycol/`,
    results: 1,
    odd: 'the RFC shows only the request; the answer is ours, with a D:prop inside a value',
  },
  {
    name: 'rfc4918-9.2.2',
    url: `${example}/bar.html`,
    results: 1,
    odd: 'PROPPATCH: two propstats and neither is a success, the description is the response’s',
  },
  {
    name: 'rfc4918-9.6.2',
    url: `${example}/container/`,
    results: 1,
    odd: 'DELETE: a member’s status and its condition, nothing on the collection itself',
  },
  {
    name: 'rfc4918-9.10.9',
    url: 'http://example.com/webdav/',
    results: 2,
    odd: 'LOCK: the request URL comes last, with 424',
  },
  {
    name: 'rfc4918-13',
    url: `${example}/container/`,
    results: 4,
    odd: 'section 13 has rules but no body; ours has a location and one status for two hrefs',
  },
  {
    name: 'rfc4918-15.8.1',
    url: `${example}/container/`,
    results: 1,
    odd: 'hrefs inside a value, a line break inside a start tag',
  },
  {
    name: 'propfind-documents',
    url: 'https://dav.example/webdav/documents/',
    results: 2,
    odd: 'file2.txt has only a 404 propstat: no success',
  },
  {
    name: 'delete-folder',
    url: 'https://dav.example/webdav/folder/',
    results: 2,
    odd: 'file1.txt is gone, file2.txt is locked, and the whole is a 207',
  },
  {
    name: 'apache-2.4.71-allprop',
    url: recorded,
    results: 3,
    odd: 'DAV: is D:, lp1: and ns0:, declared again on each response; a lock without a lockroot',
  },
  {
    name: 'apache-2.4.71-propfind',
    url: recorded,
    results: 3,
    odd: 'g0: and g1: are declared per response for the 404 propstat, lower-case %c3%a9',
  },
  {
    name: 'apache-2.4.71-proppatch',
    url: recorded,
    results: 1,
    odd: 'the reason phrase is "(status)", descriptions begin with a newline',
  },
  {
    name: 'apache-2.4.71-delete-207',
    url: 'http://127.0.0.1:39180/folder/',
    results: 3,
    odd: 'the target and each ancestor of a failed member are named, without their slashes',
  },
  {
    name: 'apache-2.4.71-delete-424',
    url: recorded,
    results: 1,
    odd: 'a multistatus body that came with status 424',
  },
  {
    name: 'nginx-1.22.1-propfind',
    url: recorded,
    results: 3,
    odd: 'no getetag, unknown properties are left out without notice, raw UTF-8 beside escapes',
  },
  {
    name: 'lighttpd-1.4.69-propfind',
    url: recorded,
    results: 3,
    odd: 'an attribute on getlastmodified, 404 names redeclare the default namespace',
  },
  {
    name: 'lighttpd-1.4.69-propname',
    url: recorded,
    results: 1,
    odd: 'names without a prefix and without a declared namespace',
  },
  {
    name: 'lighttpd-1.4.69-proppatch',
    url: recorded,
    results: 1,
    odd: 'the prefix DAV: is used but never declared, D:error stands before D:status',
  },
  {
    name: 'rclone-1.60.1-propfind',
    url: recorded,
    results: 4,
    odd: 'one line, D: redeclared on inner elements, another property order in each response',
  },
  {
    name: 'nephele-1.0.0-alpha.67-propfind',
    url: recorded,
    results: 3,
    odd: 'full URLs in href (of another port than we ask), unquoted ETags, status before prop, no newline at the end',
  },
  {
    name: 'nephele-1.0.0-alpha.67-delete',
    url: 'http://127.0.0.1:39180/folder/',
    results: 2,
    odd: 'responsedescription before status, locked and forbidden members',
  },
  {
    name: 'nextcloud-propfind',
    url: 'https://cloud.example/remote.php/dav/files/ana/',
    results: 2,
    odd: 'written as SabreDAV does: &quot; in ETags, four namespaces, a 404 propstat in each response',
  },
  {
    name: 'zope-propfind',
    url: 'http://zope.example/folder/',
    results: 1,
    odd: 'the prefix n: is another namespace in each propstat',
  },
]

// Vite takes a literal inside of `new URL` for the name of a file.
const FOLDER = '../fixtures/'

/** The names of all recorded bodies. */
export function fixtureNames(): readonly string[] {
  return readdirSync(new URL(FOLDER, import.meta.url))
    .filter((file) => file.endsWith('.xml'))
    .map((file) => file.slice(0, -'.xml'.length))
}

/** Loads the bytes of one fixture. */
export function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}.xml`, import.meta.url)))
}

export type Options = NonNullable<ConstructorParameters<typeof MultiStatusParser>[0]>
export type Body = string | Uint8Array | readonly Uint8Array[]
export interface Reading {
  readonly results: readonly DavResult[]
  readonly summary?: Summary
  readonly error?: unknown
}

export const url: string = 'https://dav.example/docs/'

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

/** Reads all results of a body until the parser ends or throws. */
export function readToError(body: Body, options?: Options): Reading {
  const parser = new MultiStatusParser({url, ...options})
  const chunks =
    typeof body === 'string' ? [bytes(body)] : body instanceof Uint8Array ? [body] : body
  const results: DavResult[] = []
  try {
    for (const chunk of chunks) results.push(...parser.write(chunk))
    return {results, summary: parser.end()}
  } catch (error) {
    return {results, error}
  }
}

/** Reads a complete body. */
export function read(
  body: Body,
  options?: Options,
): {results: readonly DavResult[]; summary: Summary} {
  const {results, summary, error} = readToError(body, options)
  if (summary === undefined) throw error
  return {results, summary}
}

/** Reads a fixture, with its own request URL. */
export function readFixture(name: string): ReturnType<typeof read> {
  const fixture = fixtures.find((candidate) => candidate.name === name)
  if (fixture === undefined) throw new Error(`no fixture ${name}`)
  return read(bytesOf(name), {url: fixture.url})
}

/** Reads the only result of a body. */
export function one(body: Body, options?: Options): DavResult {
  const [first, ...others] = read(body, options).results
  if (first === undefined || others.length > 0)
    throw new Error(`not one result: ${others.length + 1}`)
  return first
}

/** Reads the Success of a 200 propstat with this markup inside its D:prop. */
export function found(prop: string, options?: Options): Success {
  const result = one(multistatus(response('/docs/a', prop)), options)
  if (!result.ok) throw new Error(`not a success: ${JSON.stringify(result)}`)
  return result
}

export function multistatus(...children: readonly string[]): string {
  return `<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">${children.join('')}</D:multistatus>`
}

export function response(href: string, prop = ''): string {
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>`
}

export function propstat(status: string, prop: string): string {
  return `<D:propstat><D:prop>${prop}</D:prop><D:status>${status}</D:status></D:propstat>`
}

export function verdict(href: string, status: string, more = ''): string {
  return `<D:response><D:href>${href}</D:href><D:status>${status}</D:status>${more}</D:response>`
}

/** Yields the items, each in a later turn of the event loop. */
export async function* generate<T>(items: Iterable<T>): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item)
}

/** Creates a ReadableStream of the chunks that reports its cancellation. */
export function stream(
  items: readonly Uint8Array[],
  cancel?: (reason: unknown) => void,
): ReadableStream<Uint8Array> {
  const left = [...items]
  return new ReadableStream({
    pull(controller) {
      const next = left.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(next)
    },
    cancel(reason) {
      cancel?.(reason)
    },
  })
}

/** Reads the results of a stream until it ends or throws. */
export async function drain<T>(source: AsyncIterable<T>): Promise<{items: T[]; error?: unknown}> {
  const items: T[] = []
  try {
    for await (const item of source) items.push(item)
    return {items}
  } catch (error) {
    return {items, error}
  }
}
