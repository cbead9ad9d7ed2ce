// Changes of whole tags: one is lost, an element comes twice, two change places. Bodies in UTF-16 are changed as
// text, all others as bytes of which each is a character, so that nothing odd in them is lost.

import {GRAMMAR} from './dictionary.ts'
import type {Random} from './random.ts'

interface Span {
  readonly from: number
  readonly to: number
}

/** Changes the text of a body. */
export function changeText(body: Uint8Array, change: (text: string) => string): Buffer {
  const order = orderOf(body)
  const even = Buffer.from(body.subarray(0, body.length & ~1))
  if (order === 'le') return Buffer.from(change(even.toString('utf16le')), 'utf16le')
  if (order === 'be')
    return Buffer.from(change(even.swap16().toString('utf16le')), 'utf16le').swap16()
  return Buffer.from(change(Buffer.from(body).toString('latin1')), 'latin1')
}

/** Which UTF-16 a body is in, if any. */
function orderOf([first, second]: Uint8Array): 'le' | 'be' | undefined {
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'le'
  return (first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c) ? 'be' : undefined
}

/** Writes the whole body in another encoding. */
export function changeEncoding(body: Buffer, random: Random): Uint8Array {
  const [first] = body
  const text = first === 0xff || first === 0xfe ? body.toString('utf16le') : body.toString()
  const plain = text.replace(/^\uFEFF/, '').replace(/^<\?xml[^>]*>/, '')
  switch (random.below(5)) {
    case 0:
      return Buffer.from(`\uFEFF${plain}`, 'utf16le')
    case 1:
      return Buffer.from(`\uFEFF${plain}`, 'utf16le').swap16()
    case 2:
      return Buffer.from(`<?xml version="1.0" encoding="windows-1252"?>${plain}`, 'latin1')
    case 3:
      return Buffer.from(`<?xml version="1.0" encoding="iso-8859-7"?>${plain}`, 'latin1')
    default:
      return Buffer.from(`\uFEFF<?xml version="1.0" encoding="utf-8"?>${plain}`)
  }
}

/** Changes a tag or an element of the text, if there is one. */
export function changeMarkup(text: string, random: Random): string {
  const tags = [...text.matchAll(/<[^<>]*>/g)].map(({0: tag, index}) => ({
    from: index,
    to: index + tag.length,
  }))
  if (tags.length === 0) return text
  const [tag, other] = [random.pick(tags), random.pick(tags)]
  return random.pick(CHANGES)({text, tag, other, element: elementAt(text, tag), random})
}

interface Place {
  readonly text: string
  readonly tag: Span
  readonly other: Span
  /** The one that `tag` begins. */
  readonly element: Span
  readonly random: Random
}

const CHANGES: readonly ((place: Place) => string)[] = [
  // The tag is lost, or comes twice, or is another one.
  ({text, tag}) => replace(text, tag, ''),
  ({text, tag}) => replace(text, tag, cut(text, tag).repeat(2)),
  ({text, tag, random}) => replace(text, tag, random.pick(GRAMMAR)),
  ({text, tag, random}) =>
    replace(text, tag, cut(text, tag).replace(/\/?>$/, ` a${random.below(9)}="1"$&`)),
  // So with the element.
  ({text, element}) => replace(text, element, ''),
  ({text, element, random}) =>
    replace(text, element, cut(text, element).repeat(1 + random.length(12))),
  ({text, element, other}) => replace(text, {from: other.to, to: other.to}, cut(text, element)),
  // Two change places.
  ({text, tag, other}) => swap(text, tag, other),
  ({text, element, other}) => swap(text, element, elementAt(text, other)),
  // Many that differ in name.
  ({text, tag, element, random}) => {
    const count = random.length(random.oneIn(20) ? 5000 : 40)
    const name = nameOf(text, tag)
    const empty = Array.from({length: count}, (_, index) => `<${name}${index}/>`)
    return replace(text, element, empty.join(''))
  },
  // One in the other.
  ({text, tag, element, random}) => {
    const levels = random.length(random.oneIn(10) ? 300 : 8)
    const name = nameOf(text, tag)
    const inside = cut(text, element)
    return replace(text, element, `<${name}>`.repeat(levels) + inside + `</${name}>`.repeat(levels))
  },
]

function nameOf(text: string, tag: Span): string {
  return /^<([^\s/>?!]+)/.exec(cut(text, tag))?.[1] ?? 'x:n'
}

/** From a start tag to the next end tag of that name; the tag alone without one. */
function elementAt(text: string, tag: Span): Span {
  const endTag = `</${nameOf(text, tag)}>`
  const end = text.indexOf(endTag, tag.to)
  return end === -1 ? tag : {from: tag.from, to: end + endTag.length}
}

function cut(text: string, {from, to}: Span): string {
  return text.slice(from, to)
}

function replace(text: string, {from, to}: Span, by: string): string {
  return text.slice(0, from) + by + text.slice(to)
}

function swap(text: string, one: Span, other: Span): string {
  const [first, second] = one.from < other.from ? [one, other] : [other, one]
  if (first.to > second.from) return text
  const between = text.slice(first.to, second.from)
  return replace(
    text,
    {from: first.from, to: second.to},
    cut(text, second) + between + cut(text, first),
  )
}
