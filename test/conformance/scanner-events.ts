// Reads a document by our scanner: its tags in order, its values, and the place of its refusal.
// Built as MultiStatusParser builds it.
import {resolveLimits} from '../../src/multistatus/limits.ts'
import type {XmlElement} from '../../src/xml/element.ts'
import {EncodingReader} from '../../src/xml/encoding.ts'
import {ScanError} from '../../src/xml/handler.ts'
import type {Collects, PathNode, Structured} from '../../src/xml/path.ts'
import {Scanner} from '../../src/xml/scanner.ts'
import {type Event, EventList} from './saxes-events.ts'

/** The elements at this depth collect this. */
export interface Collecting {
  readonly depth: number
  readonly collects: Collects
}

/** The reading of a document. */
export interface Scan {
  /** The tags, their names as they are written. */
  readonly tags: readonly Event[]
  /** The value of each element at that depth, by its end: text, or the events of its element. */
  readonly values: readonly (string | readonly Event[])[]
  readonly refusal: Refusal | undefined
}

interface Refusal {
  readonly reason: string
  readonly message: string
  /** The number of characters before the fault. */
  readonly at: number
}

const limits = resolveLimits()

function eventsOf(element: XmlElement, list = new EventList()): readonly Event[] {
  list.start(element.name, element.attributes)
  for (const child of element.children) {
    if (typeof child === 'string') list.text(child)
    else eventsOf(child, list)
  }
  list.end(element.name)
  return list.events
}

function valueOf(value: string | Structured): string | readonly Event[] {
  return typeof value === 'string' ? value : eventsOf(value.element)
}

/** Reads a document from chunks of its bytes. */
export function scan(chunks: readonly Uint8Array[], collecting: Collecting): Scan {
  const tags = new EventList()
  const values: (string | readonly Event[])[] = []
  const scanner = new Scanner(
    {
      classify(node: PathNode): void {
        node.role = 1
        node.collects = node.depth === collecting.depth ? collecting.collects : 'nothing'
      },
      open(node: PathNode): void {
        tags.start(node.rawName, {})
      },
      close(node: PathNode, value: string | Structured): void {
        tags.end(node.rawName)
        if (node.depth === collecting.depth) values.push(valueOf(value))
      },
      fault(): void {
        throw new TypeError('nothing is recovered here')
      },
      learn: () => undefined,
      mayBeNext: () => false,
      fed(): void {
        // All limits are the scanner's own.
      },
    },
    limits,
    false,
  )
  const refusal = feed(scanner, chunks)
  return {tags: tags.events, values, refusal}
}

function feed(scanner: Scanner<unknown>, chunks: readonly Uint8Array[]): Refusal | undefined {
  let fed = 0
  const encoding = new EncodingReader(undefined, {
    text(source) {
      fed += source.text.length
      scanner.feed(source)
    },
    broken: (message) => scanner.fault(message, 'encoding'),
  })
  try {
    for (const chunk of chunks) encoding.write(chunk)
    const isCut = encoding.end()
    scanner.end()
    if (isCut) scanner.fault('the last character is not complete', 'encoding')
    return undefined
  } catch (error) {
    if (!(error instanceof ScanError)) throw error
    const {reason, message, at} = error
    return {reason, message, at: fed - scanner.textFrom(at).length}
  }
}
