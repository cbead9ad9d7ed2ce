/**
 * The resources that a server shows, computed from its disk and its traits. Paths are bytes with one character each,
 * because a name may not be UTF-8.
 */
import {isUtf8} from 'node:buffer'
import {join} from 'node:path'
import type {Relation} from 'multistatus'
import {readTree} from './disk.ts'
import type {ServerTraits} from './recipe.ts'
import type {Server} from './server.ts'

export interface Shown {
  /** Path from the server's root, without a slash at the end. */
  readonly path: string
  readonly parent: string
  /** Relation to the requested collection. */
  readonly relation: Relation
  /** Level below that collection: 0 for itself, 1 for a member. */
  readonly level: number
  /** Size of a file in bytes. */
  readonly content: number | 'collection'
  /** Status of a request for it, if its path does not find it. */
  readonly refusal: number | undefined
  /** True if a listing of it shows its members. */
  readonly showsMembers: boolean
}

/** Computes a collection and all that the server can show below it, each before its members. */
export async function readShown(server: Server, collection: string): Promise<readonly Shown[]> {
  const {root, traits} = server
  const level = collection.split('/').length
  const files = await readTree(join(root, collection))
  return files.flatMap(({path, isFolder, size}) => {
    const onDisk = path.subarray(Buffer.byteLength(root) + 1).toString('latin1')
    const names = onDisk.split('/').map((name) => nameOf(name, traits))
    if (!traits.dotNames && names.some(({text}) => text.startsWith('.'))) return []
    const refusal = names
      .map(({text}) => traits.refusal(text))
      .find((status) => status !== undefined)
    return {
      path: names.map(({bytes}) => `/${bytes}`).join(''),
      parent: names
        .slice(0, -1)
        .map(({bytes}) => `/${bytes}`)
        .join(''),
      relation: (['self', 'member'] as const)[names.length - level] ?? 'descendant',
      level: names.length - level,
      content: isFolder ? 'collection' : size,
      refusal,
      showsMembers:
        refusal === undefined && !names.some(({text}) => traits.hasNamelessMembers(text)),
    }
  })
}

/** The path of a URL or an href, unescaped once. */
export function pathOfReference(reference: string): string {
  return Buffer.from(reference.replace(/^[a-z]+:\/\/[^/]*/, ''))
    .toString('latin1')
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/\/$/, '')
}

/** Maps a name on the disk to the server's name, as bytes and as text. */
function nameOf(onDisk: string, traits: ServerTraits): {bytes: string; text: string} {
  const buffer = Buffer.from(onDisk, 'latin1')
  if (!isUtf8(buffer)) return {bytes: onDisk, text: onDisk}
  const text = traits.nameOf(buffer.toString())
  return {bytes: Buffer.from(text).toString('latin1'), text}
}
