// A tape of random bytes that decides the text of a body. Shorter and lower is simpler, so that fast-check can shrink it.

/** Reads decisions. Behind the end of the tape each is the first choice. */
export class Tape {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** A number from 0 up to, but not including, `limit`. */
  number(limit: number): number {
    const byte = this.#bytes[this.#at++] ?? 0
    return limit > 256 ? (byte * 256 + (this.#bytes[this.#at++] ?? 0)) % limit : byte % limit
  }

  /** True once in so many times. */
  once(times: number): boolean {
    return this.number(times) === times - 1
  }

  /** One of them. */
  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.number(choices.length)] ?? choices[0]
  }

  /** They, in another order. */
  shuffle<T>(items: readonly T[]): readonly T[] {
    const shuffled = [...items]
    for (let left = shuffled.length; left > 1; left--) {
      const [taken] = shuffled.splice(this.number(left), 1)
      if (taken !== undefined) shuffled.push(taken)
    }
    return shuffled
  }
}

/** Cuts bytes into chunks, down to single ones. */
export function cut(bytes: Uint8Array, tape: Tape): readonly Uint8Array[] {
  const size = tape.pick([1, 2, 7, 64, 4096, 0])
  const chunks: Uint8Array[] = []
  for (let from = 0; from < bytes.length;) {
    const length = size === 0 ? 1 + tape.number(40) : size
    chunks.push(bytes.subarray(from, from + length))
    from += length
  }
  return chunks
}

/** The bytes with one to three faults: dropped, doubled, flipped, swapped, put in, cut off. */
export function mutate(bytes: Uint8Array, tape: Tape): Uint8Array {
  let mutant = [...bytes]
  for (let times = 1 + tape.number(3); times > 0; times--) {
    const at = tape.number(Math.max(1, mutant.length))
    const length = 1 + tape.number(tape.once(4) ? 200 : 4)
    const [before, piece, after] = [
      mutant.slice(0, at),
      mutant.slice(at, at + length),
      mutant.slice(at + length),
    ]
    mutant = tape.pick<() => number[]>([
      () => [...before, ...after],
      () => [...before, ...piece, ...piece, ...after],
      () => [...before, ...piece.map((byte) => byte ^ (1 << tape.number(8))), ...after],
      () => [...before, ...after.slice(0, length), ...piece, ...after.slice(length)],
      () => [...before, ...encoder.encode(tape.pick(FAULTS)), ...piece, ...after],
      () => [...before, tape.number(256), ...piece, ...after],
      () => (tape.once(4) ? before : [...before, ...after]),
    ])()
  }
  return Uint8Array.from(mutant)
}

const encoder = new TextEncoder()
const FAULTS = [
  '<',
  '>',
  '&',
  '"',
  "'",
  '/',
  ']]>',
  '-->',
  '<!--',
  '<![CDATA[',
  '?>',
  '<?',
  '</',
  '/>',
  '=',
  ' ',
  ':',
  ';',
  '\u0001',
  '\uFFFE',
  '&#0;',
  '&#xD800;',
  '&copy;',
  '<D:response>',
  '</D:response>',
  '</D:multistatus>',
  '<!DOCTYPE x>',
  '<?xml version="1.0"?>',
  ' a="1" a="1"',
  '\u00E9',
  '\r\n',
  '--',
] as const
