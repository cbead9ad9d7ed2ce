// Long Multi-Status documents in chunks of 16 KB that are cut anywhere. A thousand different responses are made once and
// repeated, so that the making of a body takes no memory beside its reading. A chunk is a view of the same bytes.

import {DEAD} from './dead.ts'
import {APACHE, DELETE, NEXTCLOUD, RCLONE} from './responses.ts'
import type {Wire} from './responses.ts'

/** Bytes of a chunk. */
export const CHUNK = 16_384

/** Responses that are made before they repeat. */
export const BLOCK = 1000

/** The bodies by the name that `--only` takes. */
const WIRES: Readonly<Record<string, Wire>> = {
  apache: APACHE,
  nextcloud: NEXTCLOUD,
  rclone: RCLONE,
  delete: DELETE,
  dead: DEAD,
}

export const BODIES: readonly string[] = Object.keys(WIRES)

/** A document of as many blocks as one likes. */
export interface Body {
  readonly title: string
  readonly method: 'PROPFIND' | 'DELETE'
  readonly url: string
  readonly prologue: Uint8Array
  readonly block: Uint8Array
  readonly epilogue: Uint8Array
}

/** The body of that name. */
export function makeBody(name: string): Body {
  const wire = WIRES[name]
  if (wire === undefined) throw new RangeError(`${name} is none of ${BODIES.join(', ')}`)
  const encoder = new TextEncoder()
  const responses = Array.from({length: BLOCK}, (_, number) => wire.response(number))
  return {
    title: wire.title,
    method: wire.method,
    url: wire.url,
    prologue: encoder.encode(wire.prologue),
    block: encoder.encode(responses.join('')),
    epilogue: encoder.encode(wire.epilogue),
  }
}

/** The number of blocks that make a body at least so long. */
export function blocksFor(body: Body, bytes: number): number {
  return Math.ceil(bytes / body.block.length)
}

/** Bytes of a body of so many blocks. */
export function sizeOf({prologue, block, epilogue}: Body, blocks: number): number {
  return prologue.length + block.length * blocks + epilogue.length
}

/** The block with its own beginning after its end: a chunk that crosses the end is a view like any other. */
export function ringOf({block}: Body): Uint8Array {
  return Buffer.concat([block, block.subarray(0, CHUNK)])
}

/** The chunks of a body of so many blocks. */
export function* chunksOf(body: Body, blocks: number): Generator<Uint8Array, void, undefined> {
  const {prologue, block, epilogue} = body
  if (block.length < CHUNK) throw new RangeError('a block is shorter than a chunk')
  const ring = ringOf(body)
  const length = block.length * blocks
  let at = CHUNK - prologue.length
  yield Buffer.concat([prologue, ring.subarray(0, at)])
  for (; at + CHUNK <= length; at += CHUNK) {
    const begin = at % block.length
    yield ring.subarray(begin, begin + CHUNK)
  }
  const begin = at % block.length
  yield Buffer.concat([ring.subarray(begin, begin + length - at), epilogue])
}
