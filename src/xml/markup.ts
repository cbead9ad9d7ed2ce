/** Markup that is sent, written by fast-xml-parser, which is imported here only. */

import {XMLBuilder} from 'fast-xml-parser'

/** An element to be written, with the prefixes and declarations that it is to have. */
export interface Markup {
  readonly tag: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly children?: readonly (Markup | string)[]
}

const TEXT = '#text'
const ATTRIBUTES = ':@'

/** An XML document with this root. */
export function formatDocument(root: Markup): string {
  const builder = new XMLBuilder({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    textNodeName: TEXT,
    suppressEmptyNode: true,
    processEntities: true,
  })
  return `<?xml version="1.0" encoding="utf-8"?>\n${builder.build([orderedOf(root)])}`
}

function orderedOf({tag, attributes, children = []}: Markup): Record<string, unknown> {
  const ordered = children.map((child) =>
    typeof child === 'string' ? {[TEXT]: child} : orderedOf(child),
  )
  return attributes === undefined ? {[tag]: ordered} : {[tag]: ordered, [ATTRIBUTES]: attributes}
}
