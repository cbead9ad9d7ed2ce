// A tree of collections that is served over WebDAV and never built. A function gives the members of a collection, so a
// tree may have a million collections or no end. It answers PROPFIND with the variants of real servers, and fails on
// request. RFC 4918, section 9.1.

import {setTimeout as delay} from 'node:timers/promises'

import {
  type Answer,
  answer207,
  NEVER,
  OPEN,
  RESET,
  type SeenRequest,
  SHUT,
  startFaultServer,
} from './fault-server.ts'
import {propstat, verdict} from './fixtures.ts'

/** Members of a collection, by plain names. */
export interface Members {
  readonly files?: readonly string[]
  readonly collections?: readonly string[]
}
/** Gives the members of the collection at these names below the root; `undefined` for a missing one. */
export type Tree = (names: readonly string[]) => Members | undefined

/** An answer instead of a listing: a status, a broken body, silence, or a whole answer. A 207 is the listing. */
export type Fault = number | typeof RESET | typeof NEVER | Answer

export type Sequence = 'pre' | 'post' | 'level' | number

export interface TreeOptions {
  /** Depth infinity is `honoured`, `cut` to the first level, or refused by this answer. Default: `honoured`. */
  readonly infinity?: 'honoured' | 'cut' | Answer
  /** Order of an answer to Depth infinity; a number is the seed of a shuffle. */
  readonly sequence?: Sequence
  /** Place and form of the listed collection in its own answer. */
  readonly self?: 'first' | 'last' | 'bare' | 'slash' | 'absolute' | 'escaped' | 'missing'
  /** True to write collections without the slash at their end. */
  readonly isBare?: boolean
  /** True to redirect a collection without the slash to the one with it. */
  readonly addsSlash?: boolean
  /** More hrefs for the answer of a collection, by its path. */
  readonly more?: (path: string) => readonly string[]
  /** Answers by path, for the first request, the second one …; the last one is repeated. */
  readonly faults?: Readonly<Record<string, readonly Fault[]>>
  /** Milliseconds before each answer. */
  readonly pause?: number
  /** Headers by path and query: `?page=2` has the second half of the members. */
  readonly pages?: (path: string) => Readonly<Record<string, string>>
}

export interface TreeServer {
  /** URL of the server's root; the tree is below `docs/`. */
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** Depth and path of each request. */
  readonly asked: readonly string[]
  readonly mostAtOnce: number
  /** Changes the options from now on. */
  set(options: TreeOptions): void
  close(): Promise<void>
}

/** A resource of the tree. */
interface Resource {
  readonly names: readonly string[]
  readonly isCollection: boolean
}

const ROOT = '/docs/'

/** Serves a tree. */
export async function startTreeServer(tree: Tree, given: TreeOptions = {}): Promise<TreeServer> {
  const server = await startFaultServer()
  let options = given
  let times = new Map<string, number>()
  const asked: string[] = []

  server.script(async (request) => {
    const depth = String(request.headers['depth'])
    asked.push(`${depth} ${request.url}`)
    if (options.pause !== undefined) await delay(options.pause)
    const [path = '', query] = request.url.split('?')
    if (options.addsSlash === true && !path.endsWith('/'))
      return {status: 301, headers: {location: `${path}/`}}
    if (depth === 'infinity' && typeof options.infinity === 'object') return options.infinity

    const time = times.get(request.url) ?? 0
    times.set(request.url, time + 1)
    const faults = options.faults?.[request.url] ?? []
    const fault = faults[time] ?? faults.at(-1) ?? 207
    if (fault === NEVER) return NEVER
    if (typeof fault === 'number' && fault !== 207) return {status: fault}
    if (typeof fault === 'object') return fault

    const names = namesOf(path)
    if (names === undefined) return {status: 404}
    if (tree(names) === undefined) {
      if (!isFile(tree, names)) return {status: 404}
      return answer207(
        OPEN + responseOf({names, isCollection: false}, request.body, options) + SHUT,
      )
    }
    const parts = partsOf(tree, names, {depth, body: request.body, query}, options)
    const headers = options.pages?.(request.url) ?? {}
    const half = Math.ceil(parts.length / 2)
    return fault === RESET
      ? answer207([OPEN, ...parts.slice(0, half), 20, RESET])
      : answer207(OPEN + parts.join('') + SHUT, headers)
  })

  return {
    url: server.url,
    requests: server.requests,
    asked,
    get mostAtOnce() {
      return server.mostAtOnce
    },
    set(changed) {
      options = changed
      times = new Map()
    },
    close: () => server.close(),
  }
}

/** Formats the responses of one listing. */
function partsOf(
  tree: Tree,
  names: readonly string[],
  {depth, body, query}: {depth: string; body: string; query: string | undefined},
  options: TreeOptions,
): string[] {
  const own: Resource = {names, isCollection: true}
  const isWhole = depth === 'infinity' && options.infinity !== 'cut'
  const all =
    depth === '0' ? [] : isWhole ? below(tree, names, options.sequence) : list(tree, names)
  const half = Math.ceil(all.length / 2)
  const shown =
    options.pages === undefined ? all : query === undefined ? all.slice(0, half) : all.slice(half)
  const parts = shown.map((resource) => responseOf(resource, body, options))
  for (const href of options.more?.(pathOf(own)) ?? []) parts.push(responseAt(href, body))
  const {self = 'first'} = options
  if (self === 'last' || (isWhole && options.sequence === 'post'))
    return [...parts, responseOf(own, body, options)]
  if (self === 'missing') return parts
  return [responseAt(selfHref(own, options), body, true), ...parts]
}

function selfHref(own: Resource, options: TreeOptions): string {
  const path = hrefOf(own, options)
  if (options.self === 'slash') return pathOf(own)
  if (options.self === 'bare') return path.replace(/\/$/, '')
  if (options.self === 'absolute') return `http://inner.example:8080${path}`
  return options.self === 'escaped' ? path.replaceAll('o', '%6f') : path
}

function responseOf(resource: Resource, body: string, options: TreeOptions): string {
  return responseAt(hrefOf(resource, options), body, resource.isCollection)
}

function responseAt(
  href: string,
  body: string,
  isCollection: boolean = href.endsWith('/'),
): string {
  if (body.includes('propname')) return found(href, '<D:resourcetype/><D:getetag/>')
  const types = isCollection ? '<D:collection/>' : ''
  return found(href, `<D:resourcetype>${types}</D:resourcetype><D:getetag>"1"</D:getetag>`)
}

function found(href: string, prop: string): string {
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>`
}

function isFile(tree: Tree, names: readonly string[]): boolean {
  return tree(names.slice(0, -1))?.files?.includes(names.at(-1) ?? '') ?? false
}

function namesOf(path: string): readonly string[] | undefined {
  if (path !== ROOT.slice(0, -1) && !path.startsWith(ROOT)) return undefined
  const segments = path.slice(ROOT.length).split('/')
  return segments.filter((segment) => segment !== '').map((segment) => decodeURIComponent(segment))
}

/** Formats the path of a resource, escaped, with the slash of a collection. */
function pathOf({names, isCollection}: Resource): string {
  const path = ROOT + names.map((name) => encodeURIComponent(name)).join('/')
  return isCollection && names.length > 0 ? `${path}/` : path
}

function hrefOf(resource: Resource, {isBare = false}: TreeOptions = {}): string {
  return isBare ? pathOf(resource).replace(/\/$/, '') : pathOf(resource)
}

function list(tree: Tree, names: readonly string[]): Resource[] {
  const {files = [], collections = []} = tree(names) ?? {}
  return [
    ...collections.map((name) => ({names: [...names, name], isCollection: true})),
    ...files.map((name) => ({names: [...names, name], isCollection: false})),
  ]
}

/** Lists all resources below, in this order. */
function below(tree: Tree, names: readonly string[], sequence: Sequence = 'pre'): Resource[] {
  if (sequence === 'pre' || sequence === 'post') {
    return list(tree, names).flatMap((one) => {
      const inside = one.isCollection ? below(tree, one.names, sequence) : []
      return sequence === 'pre' ? [one, ...inside] : [...inside, one]
    })
  }
  const all = below(tree, names)
  if (sequence === 'level') return all.toSorted((a, b) => a.names.length - b.names.length)
  let seed = sequence
  const keyed = all.map((resource) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return {resource, key: seed}
  })
  return keyed.toSorted((a, b) => a.key - b.key).map(({resource}) => resource)
}

/** Formats relation and href of each resource at and below these names, sorted: the expected lines of a listing. */
export function linesOf(
  tree: Tree,
  names: readonly string[] = [],
  options: TreeOptions = {},
): readonly string[] {
  return [{names, isCollection: true}, ...below(tree, names)]
    .map((one) => `${relationOf(one)} ${hrefOf(one, options)}`)
    .toSorted()
}

function relationOf({names}: Resource): string {
  return ['self', 'member'][names.length] ?? 'descendant'
}

/** Lists the paths of all collections of the tree, or of the empty ones. */
export function collectionsOf(tree: Tree, which: 'all' | 'empty' = 'all'): readonly string[] {
  return [{names: [], isCollection: true}, ...below(tree, [])]
    .filter((one) => one.isCollection)
    .filter(({names}) => which === 'all' || list(tree, names).length === 0)
    .map((one) => pathOf(one))
}

/** Formats relation and href of a result. */
export function line({relation, href}: {relation: string; href: string}): string {
  return `${relation} ${href}`
}

/** Creates the 207 that refuses Depth infinity for the resource itself. */
export function refusalInside(path: string): Answer {
  const error = '<D:error><D:propfind-finite-depth/></D:error>'
  return answer207(OPEN + verdict(path, 'HTTP/1.1 403 Forbidden', error) + SHUT)
}

/** Creates a tree of this depth, with this many collections and one file in each collection. */
export function regular(width: number, depth: number): Tree {
  const collections = Array.from({length: width}, (_, number) => `c${number}`)
  return (names) => {
    if (names.length > depth || names.some((name) => !collections.includes(name))) return undefined
    return {files: ['a.txt'], collections: names.length < depth ? collections : []}
  }
}

/** Creates a tree from a list of members for each collection path. A name with a slash at its end is a collection. */
export function written(shape: Readonly<Record<string, readonly string[]>>): Tree {
  return (names) => {
    const members = shape[names.map((name) => `${name}/`).join('')]
    if (members === undefined) return undefined
    return {
      files: members.filter((name) => !name.endsWith('/')),
      collections: members.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1)),
    }
  }
}
