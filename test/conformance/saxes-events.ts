// Reads a document by saxes, an independent conformant reader: the events, and the place of the first fault.
// It reads every document as XML 1.0, as the fifth edition asks for any version 1.x.
import {SaxesParser, type SaxesTagNS} from 'saxes'

/** A start tag, an end tag, or all the text between two tags. */
export type Event =
  | readonly ['start', string, Readonly<Record<string, string>>]
  | readonly ['text', string]
  | readonly ['end', string]

/** Events up to the first fault, if there is one. */
export interface Events {
  readonly events: readonly Event[]
  readonly fault: {readonly at: number; readonly message: string} | undefined
}

class Stop extends Error {}

/** Joins texts that comments, CDATA or chunks divide, and leaves out the white space outside the root. */
export class EventList {
  readonly events: Event[] = []
  #depth = 0

  start(name: string, attributes: Readonly<Record<string, string>>): void {
    this.#depth++
    this.events.push(['start', name, attributes])
  }

  end(name: string): void {
    this.#depth--
    this.events.push(['end', name])
  }

  text(text: string): void {
    if (text === '' || this.#depth === 0) return
    const last = this.events.at(-1)
    if (last?.[0] === 'text') this.events[this.events.length - 1] = ['text', last[1] + text]
    else this.events.push(['text', text])
  }
}

function expanded(tag: SaxesTagNS): string {
  return tag.uri === 'DAV:' ? tag.local : `{${tag.uri}}${tag.local}`
}

function expandedAttributes(tag: SaxesTagNS): Record<string, string> {
  return Object.fromEntries(
    Object.values(tag.attributes)
      .filter(({name}) => name !== 'xmlns' && !name.startsWith('xmlns:'))
      .map(({uri, local, value}) => [uri === '' ? local : `{${uri}}${local}`, value]),
  )
}

/** Expanded names, as namespaces in XML 1.0 has them: a namespace error is a fault. */
export function readExpanded(text: string): Events {
  const parser = new SaxesParser({xmlns: true, forceXMLVersion: true, defaultXMLVersion: '1.0'})
  const list = new EventList()
  parser.on('opentag', (tag) => {
    list.start(expanded(tag), expandedAttributes(tag))
  })
  parser.on('closetag', (tag) => {
    list.end(expanded(tag))
  })
  parser.on('text', (piece) => {
    list.text(piece)
  })
  parser.on('cdata', (piece) => {
    list.text(piece)
  })
  return {events: list.events, fault: run(parser, text)}
}

/** Names as they are written, and no attributes: namespaces mean nothing. */
export function readRaw(text: string): Events {
  const parser = new SaxesParser({xmlns: false, forceXMLVersion: true, defaultXMLVersion: '1.0'})
  const list = new EventList()
  parser.on('opentag', ({name}) => {
    list.start(name, {})
  })
  parser.on('closetag', ({name}) => {
    list.end(name)
  })
  parser.on('text', (piece) => {
    list.text(piece)
  })
  parser.on('cdata', (piece) => {
    list.text(piece)
  })
  return {events: list.events, fault: run(parser, text)}
}

/** The document without its DOCTYPE, if saxes finds one before any fault. */
export function withoutDoctype(text: string): string | undefined {
  const parser = new SaxesParser({xmlns: false, forceXMLVersion: true, defaultXMLVersion: '1.0'})
  const from = doctypeAt(text)
  let to: number | undefined
  parser.on('doctype', () => {
    to = parser.position
  })
  run(parser, text)
  return to === undefined || from === -1 ? undefined : text.slice(0, from) + text.slice(to)
}

/** The index of the DOCTYPE, -1 without one. */
export function doctypeAt(text: string): number {
  return text
    .replaceAll(/<!--.*?-->|<\?.*?\?>|<!\[CDATA\[.*?\]\]>/gsu, (hidden) =>
      ' '.repeat(hidden.length),
    )
    .indexOf('<!DOCTYPE')
}

interface Runnable {
  readonly position: number
  on(name: 'error', handler: (error: Error) => void): void
  write(text: string): unknown
  close(): unknown
}

function run(parser: Runnable, text: string): Events['fault'] {
  let fault: Events['fault']
  parser.on('error', ({message}) => {
    fault = {at: parser.position, message}
    throw new Stop()
  })
  try {
    parser.write(text)
    parser.close()
  } catch (error) {
    if (!(error instanceof Stop)) throw error
  }
  return fault
}
