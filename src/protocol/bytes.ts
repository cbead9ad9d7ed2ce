/** Bytes in memory of any class. */

/** Views the bytes as a plain Uint8Array, without a copy. Engines read that class fastest, and a Buffer is another one. */
export function bytesOf(memory: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(memory)) return new Uint8Array(memory)
  return new Uint8Array(memory.buffer, memory.byteOffset, memory.byteLength)
}
