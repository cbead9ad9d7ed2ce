// The tree of a model server: collections, files with their bytes, and dead properties. A change makes a new tree that
// shares its unchanged parts, so that a tree from before an operation is kept at no cost. Knows no HTTP. RFC 4918,
// sections 5 and 9.

/** Dead properties: markup of the value by name, as in results. */
export type DeadProperties = ReadonlyMap<string, string>

export interface FileNode {
  readonly isCollection: false
  readonly bytes: Buffer<ArrayBuffer>
  readonly etag: string
  readonly properties: DeadProperties
}

export interface CollectionNode {
  readonly isCollection: true
  readonly members: ReadonlyMap<string, Node>
  readonly properties: DeadProperties
}

export type Node = FileNode | CollectionNode

/** Decoded segments of a path below the root of a tree. */
export type Path = readonly string[]

/** Members that an operation does not touch, by the joined path below its target. Their ancestors stay too. */
export type Refusal = (path: string) => boolean

export const NO_PROPERTIES: DeadProperties = new Map()
export const EMPTY: CollectionNode = {
  isCollection: true,
  members: new Map(),
  properties: NO_PROPERTIES,
}

/** Finds the resource at a path. */
export function find(root: Node | undefined, path: Path): Node | undefined {
  let node = root
  for (const name of path) {
    if (node?.isCollection !== true) return undefined
    node = node.members.get(name)
  }
  return node
}

/** Sets or removes the resource at a path. The tree stays as it is if the parent is no collection. */
export function put(root: CollectionNode, path: Path, node: Node | undefined): CollectionNode {
  const [name, ...rest] = path
  if (name === undefined) return node?.isCollection === true ? node : root
  const members = new Map(root.members)
  if (rest.length > 0) {
    const member = root.members.get(name)
    if (member?.isCollection !== true) return root
    members.set(name, put(member, rest, node))
  } else if (node === undefined) members.delete(name)
  else members.set(name, node)
  return {...root, members}
}

const listed = new WeakMap<Node, readonly string[]>()

/** Lists the joined paths of all resources below a node, each collection before its members. */
export function below(node: Node | undefined): readonly string[] {
  if (node?.isCollection !== true) return []
  const known = listed.get(node)
  if (known !== undefined) return known
  const paths = Array.from(node.members).flatMap(([name, member]) => [
    name,
    ...below(member).map((path) => `${name}/${path}`),
  ])
  listed.set(node, paths)
  return paths
}

/** Returns the part of a resource that a DELETE with refused members leaves. */
export function leave(node: Node, refused: Refusal, prefix = ''): Node | undefined {
  if (!node.isCollection) return undefined
  const members = new Map<string, Node>()
  for (const [name, member] of node.members) {
    const path = prefix + name
    const left = refused(path) ? member : leave(member, refused, `${path}/`)
    if (left !== undefined) members.set(name, left)
  }
  return members.size > 0 ? {...node, members} : undefined
}

/** Returns the copy of a resource without the refused members. */
export function copyOf(node: Node, refused: Refusal, tag: () => string, prefix = ''): Node {
  if (!node.isCollection) return {...node, etag: tag()}
  const members = new Map<string, Node>()
  for (const [name, member] of node.members) {
    const path = prefix + name
    if (!refused(path)) members.set(name, copyOf(member, refused, tag, `${path}/`))
  }
  return {...node, members}
}

/** Lists the joined paths at and below which two trees differ. ETags aside. */
export function differences(
  one: Node | undefined,
  other: Node | undefined,
  path = '',
): readonly string[] {
  if (one === other) return []
  if (one === undefined || other === undefined)
    return [path, ...below(one ?? other).map((name) => `${path}/${name}`)]
  if (!one.isCollection || !other.isCollection) {
    return !one.isCollection && !other.isCollection && isSameFile(one, other) ? [] : [path]
  }
  const names = new Set([...one.members.keys(), ...other.members.keys()])
  return [
    ...(isSameMap(one.properties, other.properties) ? [] : [path]),
    ...[...names].flatMap((name) =>
      differences(one.members.get(name), other.members.get(name), `${path}/${name}`),
    ),
  ]
}

/** Compares two resources with all their members. ETags aside. */
export function isSame(one: Node | undefined, other: Node | undefined): boolean {
  return differences(one, other).length === 0
}

function isSameFile(one: FileNode, other: FileNode): boolean {
  const isSameBytes = one.bytes === other.bytes || one.bytes.equals(other.bytes)
  return isSameBytes && isSameMap(one.properties, other.properties)
}

function isSameMap(one: DeadProperties, other: DeadProperties): boolean {
  if (one === other) return true
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value)
}
