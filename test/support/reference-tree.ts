// Reads a document into a tree by saxes, up to its first fault. Simple, slow, and independent of our own reader. XML 1.0
// (fifth edition); Namespaces in XML 1.0; rule 10 of the contract.
import {SaxesParser} from 'saxes'

/** An element with its name in its namespace. */
export interface ReferenceElement {
  /** `getetag` in `DAV:`, else `{ns}local`. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: (ReferenceElement | string)[]
  /** True once its end tag was read. */
  isClosed: boolean
}

/** The readable part of a document. */
export interface ReferenceTree {
  readonly root: ReferenceElement | undefined
  /** Reason for an early end. */
  readonly fault: string | undefined
}

type Bindings = ReadonlyMap<string, string>

const NEVER_BOUND: ReadonlySet<string> = new Set(['xmlns:', 'xmlns:xml', 'xmlns:xmlns'])

class Stop extends Error {}

const ENCODINGS: ReadonlySet<string> = new Set(['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'])

/** Decodes a document by its byte order mark, else by its declared encoding, else as UTF-8. */
function decode(bytes: Uint8Array): {text: string; fault: string | undefined} {
  const [first, second] = bytes
  const head = String.fromCharCode(...bytes.subarray(0, 200))
  const declared = /^<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']/.exec(head)?.[1] ?? 'utf-8'
  const mark = head.startsWith('\xEF\xBB\xBF')
    ? 'utf-8'
    : first === 0xff && second === 0xfe
      ? 'utf-16le'
      : first === 0xfe && second === 0xff
        ? 'utf-16be'
        : undefined
  // A declaration that was readable as bytes cannot be UTF-16, whatever its label.
  const label = mark ?? (/^utf-?16/i.test(declared) ? 'utf-8' : declared)
  let text = ''
  try {
    const decoder = new TextDecoder(isKnown(label) ? label : 'utf-8', {fatal: true})
    if (!ENCODINGS.has(decoder.encoding)) return {text, fault: `the encoding ${label}`}
    for (const byte of bytes) text += decoder.decode(Uint8Array.of(byte), {stream: true})
    return {text: text + decoder.decode(), fault: undefined}
  } catch (error) {
    return {text, fault: String(error)}
  }
}

function isKnown(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

function bind(outer: Bindings, attributes: ReadonlyMap<string, string>): Bindings {
  const bindings = new Map(outer)
  for (const [name, value] of attributes) {
    if (name === 'xmlns') bindings.set('', value)
    else if (name.startsWith('xmlns:') && !NEVER_BOUND.has(name))
      bindings.set(name.slice('xmlns:'.length), value)
  }
  return bindings
}

/** Applies rule 10: a name without a namespace, or with odd colons, stays as written. */
function resolve(name: string, bindings: Bindings, unprefixed: string): [string, string] {
  const [prefix = '', local = '', ...more] = name.split(':')
  if (!name.includes(':')) return [unprefixed, name]
  if (prefix === '' || local === '' || more.length > 0) return ['', name]
  const namespace = bindings.get(prefix) ?? (prefix === 'DAV' ? 'DAV:' : undefined)
  return namespace === undefined ? ['', name] : [namespace, local]
}

function elementName(name: string, bindings: Bindings): string {
  const [namespace, local] = resolve(name, bindings, bindings.get('') ?? '')
  return namespace === 'DAV:' ? local : `{${namespace}}${local}`
}

function attributesOf(
  written: ReadonlyMap<string, string>,
  bindings: Bindings,
): Record<string, string> {
  const named: [string, string][] = []
  for (const [name, value] of written) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue
    const [namespace, local] = resolve(name, bindings, '')
    named.push([name.includes(':') ? `{${namespace}}${local}` : name, value])
  }
  return Object.fromEntries(named)
}

/** Reads a document up to its first fault. */
export function readTree(bytes: Uint8Array): ReferenceTree {
  const {text, fault: broken} = decode(bytes)
  const parser = new SaxesParser({xmlns: false, forceXMLVersion: true, defaultXMLVersion: '1.0'})
  const scopes: Bindings[] = [new Map([['xml', 'http://www.w3.org/XML/1998/namespace']])]
  const open: ReferenceElement[] = []
  const closing: ReferenceElement[] = []
  let written = new Map<string, string>()
  let root: ReferenceElement | undefined
  let fault: string | undefined
  const onText = (piece: string): void => {
    const children = open.at(-1)?.children
    if (children === undefined || piece === '') return
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + piece
    else children.push(piece)
  }
  parser.on('opentagstart', () => {
    written = new Map()
  })
  parser.on('attribute', ({name, value}) => {
    written.set(name, value)
  })
  parser.on('opentag', (tag) => {
    const scope = bind(scopes.at(-1) ?? new Map(), written)
    const element = {
      name: elementName(tag.name, scope),
      attributes: attributesOf(written, scope),
      children: [],
      isClosed: false,
    }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
    scopes.push(scope)
  })
  parser.on('closetag', () => {
    const closed = open.pop()
    // saxes reports an end tag before it reports that the tag belongs to another element.
    if (closed !== undefined) closing.push(closed)
    scopes.pop()
  })
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.on('processinginstruction', ({target, body}) => {
    // saxes accepts `<?a?b?>`, although a blank must follow the name of an instruction.
    const end = parser.position
    const opening = `<?${target}`
    const from = text.lastIndexOf(opening, end - '?>'.length - body.length - opening.length)
    if (!/^(\?>|[ \t\r\n])/.test(text.slice(from + opening.length, end)))
      throw new Stop('an instruction without a blank')
  })
  parser.on('doctype', () => {
    throw new Stop('a DOCTYPE')
  })
  parser.on('error', ({message}) => {
    if (/unexpected close tag|unmatched closing tag/.test(message)) closing.pop()
    throw new Stop(message)
  })
  try {
    // The decoder removed one byte order mark, and saxes would remove another.
    if (text.startsWith('\uFEFF')) throw new Stop('text before the root')
    parser.write(text)
    if (broken === undefined) parser.close()
    fault = broken
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    fault = error.message
  }
  for (const element of closing) element.isClosed = true
  return {root, fault}
}
