/**
 * What a server shows of its disk, computed from the disk and its traits alone. Paths are told as bytes, each as one
 * character, because a name need not be UTF-8.
 */
import {isUtf8} from 'node:buffer'
import {join} from 'node:path'
import type {Relation} from 'multistatus'
import {readTree} from './disk.ts'
import type {ServerTraits} from './recipe.ts'
import type {Server} from './server.ts'

export interface Shown {
  /** From the server's root, without a slash at the end. */
  readonly path: string
  readonly parent: string
  /** To the collection that was asked about. */
  readonly relation: Relation
  /** How far below that collection it is: 0 for itself, 1 for a member. */
  readonly level: number
  /** A file's size in bytes. */
  readonly content: number | 'collection'
  /** What a request for it is answered with, where it is not found by its path. */
  readonly refusal: number | undefined
  /** Whether a listing of it shows the members it has. */
  readonly showsMembers: boolean
}

/** A collection and all that the server can show below it, each before what is in it. */
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

/** The name that the server has for one of the disk, as its bytes and as text. */
function nameOf(onDisk: string, traits: ServerTraits): {bytes: string; text: string} {
  const buffer = Buffer.from(onDisk, 'latin1')
  if (!isUtf8(buffer)) return {bytes: onDisk, text: onDisk}
  const text = traits.nameOf(buffer.toString())
  return {bytes: Buffer.from(text).toString('latin1'), text}
}
