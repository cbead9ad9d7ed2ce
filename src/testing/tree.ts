/** The resources of a fake server, in memory, and the order of their changes. Knows no HTTP. RFC 4918, section 5; RFC 6578, section 3.2. */

import type {XmlElement} from '../xml/element.ts'

/** Dead properties by name. */
type DeadProperties = Map<string, XmlElement>

/** A resource with content. */
export interface FileResource {
  readonly content: Uint8Array
  readonly type: string
  readonly etag: string
  readonly modified: Date
  readonly created: Date
  readonly properties: DeadProperties
}

/** A collection. */
export interface Collection {
  /** The members by name, escaped as in a canonical path. */
  readonly members: Map<string, Resource>
  /** The types besides `collection`. RFC 5689, section 3. */
  readonly types: readonly XmlElement[]
  readonly modified: Date
  readonly created: Date
  readonly properties: DeadProperties
}

export type Resource = FileResource | Collection

export function isCollection(resource: Resource | undefined): resource is Collection {
  return resource !== undefined && 'members' in resource
}

/** True for a path that is the other one, or below it. */
export function isAtOrBelow(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}/`)
}

/** Returns the path of the collection around a resource; that of the root for the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

export function makeCollection(types: readonly XmlElement[] = []): Collection {
  const now = new Date()
  return {members: new Map(), types, modified: now, created: now, properties: new Map()}
}

/** A tree. Paths are canonical and begin with a slash; the root has the empty one. */
export class Tree {
  /** The number of changes so far. Each is a version, and each version is a state to sync from. */
  version = 0
  #root = makeCollection()
  #etags = 0
  // The version of the last change of each path, gone ones too, in the order of the versions.
  #changes = new Map<string, number>()

  /** Finds a resource. */
  find(path: string): Resource | undefined {
    let found: Resource | undefined = this.#root
    for (const name of namesOf(path))
      found = isCollection(found) ? found.members.get(name) : undefined
    return found
  }

  /** Makes a file with an ETag of its own. A new version keeps the date of creation and the dead properties. */
  makeFile(content: Uint8Array, type: string, before?: Resource): FileResource {
    const now = new Date()
    const {created = now, properties = new Map()} = before ?? {}
    return {content, type, etag: `"${++this.#etags}"`, modified: now, created, properties}
  }

  /** Stores a resource, in the place of another one or as a new member. Its parent is a collection. */
  set(path: string, resource: Resource): void {
    const parent = this.find(parentOf(path))
    if (path === '' || !isCollection(parent)) return
    // The members of a replaced collection are gone.
    if (isCollection(this.find(path))) this.remove(path)
    parent.members.set(nameIn(path), resource)
    for (const [changed] of this.within(path)) this.#note(changed)
  }

  /** Removes a resource with everything below. */
  remove(path: string): void {
    const parent = this.find(parentOf(path))
    if (path === '' || !isCollection(parent)) return
    for (const [changed] of this.within(path)) this.#note(changed)
    parent.members.delete(nameIn(path))
  }

  /** Copies a resource, refused members aside. A file of a copy has an ETag of its own. */
  copy(path: string, isRefused: (path: string) => boolean, isMoved: boolean): Resource | undefined {
    const resource = this.find(path)
    if (resource === undefined) return undefined
    const properties = new Map(resource.properties)
    if (!isCollection(resource))
      return isMoved
        ? resource
        : this.makeFile(resource.content, resource.type, {
            ...resource,
            created: new Date(),
            properties,
          })
    const members = new Map<string, Resource>()
    for (const name of resource.members.keys()) {
      const member = `${path}/${name}`
      const copy = isRefused(member) ? undefined : this.copy(member, isRefused, isMoved)
      if (copy !== undefined) members.set(name, copy)
    }
    return {...resource, properties, members}
  }

  /** Lists a resource and everything below, each collection before its members. */
  *within(path: string, levels: number = Number.POSITIVE_INFINITY): Generator<[string, Resource]> {
    const resource = this.find(path)
    if (resource !== undefined) yield* list(path, resource, levels)
  }

  /** Counts the bytes of all files. */
  get bytes(): number {
    return sizeOf(this.#root)
  }

  /** Lists the paths that changed after a version, with the version of their last change, the oldest first. */
  changesSince(version: number): [string, number][] {
    return [...this.#changes].filter(([, changed]) => changed > version)
  }

  /** Numbers the last changes anew, above all versions so far. Returns the version before them. */
  renumber(): number {
    const before = ++this.version
    this.#changes = new Map(Array.from(this.#changes.keys(), (path) => [path, ++this.version]))
    return before
  }

  /** Returns a function that undoes all later changes. */
  save(): () => void {
    const root = clone(this.#root)
    const [version, changes] = [this.version, new Map(this.#changes)]
    return () => {
      this.#root = root
      this.version = version
      this.#changes = changes
    }
  }

  #note(path: string): void {
    // Set anew, so that the order is that of the versions.
    this.#changes.delete(path)
    this.#changes.set(path, ++this.version)
  }
}

/** Counts the bytes of a resource with everything below. */
export function sizeOf(resource: Resource): number {
  if (!isCollection(resource)) return resource.content.length
  return [...resource.members.values()].reduce((bytes, member) => bytes + sizeOf(member), 0)
}

function* list(path: string, resource: Resource, levels: number): Generator<[string, Resource]> {
  yield [path, resource]
  if (levels === 0 || !isCollection(resource)) return
  for (const [name, member] of resource.members) yield* list(`${path}/${name}`, member, levels - 1)
}

function clone<R extends Resource>(resource: R): R {
  const properties = new Map(resource.properties)
  if (!isCollection(resource)) return {...resource, properties}
  const members = Array.from(resource.members, ([name, member]) => [name, clone(member)] as const)
  return {...resource, properties, members: new Map(members)}
}

function namesOf(path: string): string[] {
  return path.split('/').slice(1)
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
