// The rules of locks as a model server enforces them: its own reader of the If header, and the locks that protect a resource. Shares
// no code with the client. Paths have no slash at their end. RFC 4918, sections 6, 7 and 10.4.

/** A lock of the server. */
export interface ModelLock {
  readonly token: string
  /** The path of the locked resource. */
  readonly root: string
  readonly isDeep: boolean
  readonly isShared: boolean
  readonly owner: string
  /** The number of the client that took it. */
  readonly holder: number
  /** The end by the clock; `Infinity` for none. */
  end: number
}

/** A request, as far as locks matter. */
export interface LockedRequest {
  readonly method: string
  readonly path: string
  /** The destination of a COPY or MOVE. */
  readonly to?: string | undefined
  /** True for a LOCK of everything below. */
  readonly isDeep?: boolean | undefined
}

/** A list of an If header. */
export interface ModelList {
  /** The path of the tag; absent for a list without one. */
  readonly tag?: string
  readonly terms: readonly {readonly isNot: boolean; readonly token: string}[]
}

/** True for a path that is the other one, or below it. */
export function isAtOrBelow(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`)
}

/** Returns the path of the collection around a resource. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** Decodes the path of a URL or of an absolute path, without its last slash. */
export function pathIn(url: string): string {
  return decodeURIComponent(new URL(url, 'http://model.example').pathname).replace(/\/$/, '')
}

/** True if a lock protects a resource: its root, or everything below. RFC 4918, section 7.4. */
export function covers({root, isDeep}: Pick<ModelLock, 'root' | 'isDeep'>, path: string): boolean {
  return path === root || (isDeep && isAtOrBelow(path, root))
}

/**
 * Reads an If header of tokens. RFC 4918, section 10.4.2.
 *
 * @throws SyntaxError for any other text, and for lists with and without a tag.
 */
export function readIfHeader(text: string): readonly ModelList[] {
  const lists: ModelList[] = []
  let tag: string | undefined
  let end = 0
  for (const [whole, named, list = ''] of text.matchAll(LIST)) {
    end += whole.length
    tag = named ?? tag
    const terms = Array.from(list.matchAll(TERM), ([, not, token = '']) => ({
      isNot: not !== undefined,
      token,
    }))
    lists.push({...(tag !== undefined && {tag: pathIn(tag)}), terms})
  }
  if (end !== text.length) throw new SyntaxError(`no If header: ${text}`)
  if (lists.some((list) => (list.tag === undefined) !== (tag === undefined)))
    throw new SyntaxError(`lists with and without a tag: ${text}`)
  return lists
}

const LIST = /(?:<([^<>\s]+)> )?\(((?:(?:Not )?<[^<>\s]+> ?)+)\)(?: |$)/gy
const TERM = /(Not )?<([^<>\s]+)>/g

/** Evaluates lists, of which one must hold. RFC 4918, sections 10.4.3 and 10.4.4. */
export function holds(
  lists: readonly ModelList[],
  path: string,
  locks: readonly ModelLock[],
): boolean {
  return lists.some(({tag = path, terms}) =>
    terms.every(
      ({isNot, token}) => locks.some((lock) => lock.token === token && covers(lock, tag)) !== isNot,
    ),
  )
}

/**
 * Lists the resources that a request changes. A new or removed member changes the collection around it. RFC 4918, section 7.4.
 *
 * @param paths - All resources of the server.
 */
export function changedBy(
  {method, path, to = ''}: LockedRequest,
  paths: readonly string[],
): readonly string[] {
  const whole = (root: string): readonly string[] => [
    root,
    parentOf(root),
    ...paths.filter((one) => isAtOrBelow(one, root)),
  ]
  switch (method) {
    case 'PUT':
    case 'LOCK':
      return paths.includes(path) ? (method === 'PUT' ? [path] : []) : [path, parentOf(path)]
    case 'MKCOL':
      return [path, parentOf(path)]
    case 'PROPPATCH':
      return [path]
    case 'DELETE':
      return whole(path)
    case 'MOVE':
      return [...whole(path), ...whole(to)]
    case 'COPY':
      return whole(to)
    default:
      return []
  }
}

/**
 * Tells how a lock is concerned by a request whose outcome nobody knows yet: `near` if it covers an end of it, `far` if it is on the
 * collection around one or inside of one.
 */
export function concern(
  {method, path, to = '', isDeep = true}: LockedRequest,
  lock: Pick<ModelLock, 'root' | 'isDeep'>,
): 'near' | 'far' | undefined {
  const ends = method === 'COPY' ? [to] : method === 'MOVE' ? [path, to] : [path]
  if (!CHANGING.has(method)) return undefined
  // A second LOCK changes nothing that the first one protects.
  if (method === 'LOCK' && lock.root === path) return undefined
  if (ends.some((end) => covers(lock, end))) return 'near'
  if (method === 'PROPPATCH') return undefined
  if (ends.some((end) => covers(lock, parentOf(end)))) return 'far'
  const isWhole = method !== 'PUT' && method !== 'MKCOL' && isDeep
  return isWhole && ends.some((end) => isAtOrBelow(lock.root, end)) ? 'far' : undefined
}

const CHANGING: ReadonlySet<string> = new Set([
  'PUT',
  'MKCOL',
  'PROPPATCH',
  'DELETE',
  'MOVE',
  'COPY',
  'LOCK',
])

/** Finds the locks that stand in the way of a new one. RFC 4918, section 6.2. */
export function conflicts(
  {root, isDeep, isShared}: Pick<ModelLock, 'root' | 'isDeep' | 'isShared'>,
  locks: readonly ModelLock[],
): readonly ModelLock[] {
  return locks.filter(
    (lock) =>
      (covers(lock, root) || (isDeep && isAtOrBelow(lock.root, root))) &&
      !(isShared && lock.isShared),
  )
}
