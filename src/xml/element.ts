/**
 * Elements as plain objects. The markup that they are made of is known to be well-formed: the scanner has read it.
 * XML 1.0; Namespaces in XML 1.0.
 */

import {decodeReferences, normalizeLineEnds} from './characters.ts'
import type {Scope} from './scope.ts'
import {isDeclaration} from './scope.ts'
import type {StartTag} from './tag.ts'
import {parseStartTag, TagFault} from './tag.ts'

/** An element as a value: a property with child elements, or one of them. */
export interface XmlElement {
  /** `lockinfo` in `DAV:`, else `{ns}local`; `{}local` in no namespace. */
  readonly name: string
  /** By name: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. Declarations of namespaces are left out. */
  readonly attributes: Readonly<Record<string, string>>
  /** Elements and text, mixed, in order. */
  readonly children: readonly (XmlElement | string)[]
}

/** An element whose end tag has not been read. */
interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[]
  readonly scope: Scope
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({})
const UNBOUNDED = {name: Number.POSITIVE_INFINITY, attributes: Number.POSITIVE_INFINITY}

/** The element that well-formed markup is, in the scope around it. It is frozen, so that it can be shared. */
export function parseElement(markup: string, scope: Scope): XmlElement {
  const document: OpenElement = {name: '', attributes: {}, children: [], scope}
  const outer: OpenElement[] = []
  let open = document
  for (let at = 0; at < markup.length;) {
    const lt = markup.indexOf('<', at)
    if (lt === -1) break
    addText(open, decodeReferences(markup.slice(at, lt), normalizeLineEnds, ignore))
    if (markup.startsWith('<!--', lt)) {
      at = behind(markup, '-->', lt)
    } else if (markup.startsWith('<![CDATA[', lt)) {
      at = behind(markup, ']]>', lt)
      addText(open, normalizeLineEnds(markup.slice(lt + '<![CDATA['.length, at - ']]>'.length)))
    } else if (markup.startsWith('<?', lt)) {
      at = behind(markup, '?>', lt)
    } else if (markup.startsWith('</', lt)) {
      at = behind(markup, '>', lt)
      const parent = outer.pop() ?? document
      parent.children.push(finished(open))
      open = parent
    } else {
      at = tagEnd(markup, lt)
      const tag = startTag(markup.slice(lt + 1, at - 1))
      const child = opened(tag, open.scope)
      if (tag.selfClosing) {
        open.children.push(finished(child))
      } else {
        outer.push(open)
        open = child
      }
    }
  }
  const [element] = document.children
  if (element === undefined || typeof element === 'string')
    throw new TypeError('the markup is no element')
  return element
}

/** The elements among an element's children. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

function startTag(text: string): StartTag {
  const tag = parseStartTag(text, UNBOUNDED)
  if (tag instanceof TagFault) throw new TypeError(tag.message)
  return tag
}

function opened({name, attributes}: StartTag, around: Scope): OpenElement {
  if (attributes.size === 0) {
    return {
      name: around.elementName(name).text,
      attributes: NO_ATTRIBUTES,
      children: [],
      scope: around,
    }
  }
  const scope = around.declare(attributes)
  const named = [...attributes]
    .filter(([attribute]) => !isDeclaration(attribute))
    .map(([attribute, value]) => [scope.attributeName(attribute), value])
  return {
    name: scope.elementName(name).text,
    // `fromEntries` defines, it does not assign: an attribute `__proto__` is an attribute like any other.
    attributes: Object.freeze(Object.fromEntries(named)),
    children: [],
    scope,
  }
}

function finished({name, attributes, children}: OpenElement): XmlElement {
  return Object.freeze({name, attributes, children: Object.freeze(children)})
}

/** Adds text. A comment or the edge of a CDATA section does not end one. */
function addText({children}: OpenElement, text: string): void {
  const last = children.at(-1)
  if (text === '') return
  if (typeof last === 'string') children[children.length - 1] = last + text
  else children.push(text)
}

/** Where what begins at `lt` with a tag ends: behind the first `>` outside quotes. */
function tagEnd(markup: string, lt: number): number {
  const end = behind(markup, '>', lt)
  return /["']/.test(markup.slice(lt, end)) ? quotedTagEnd(markup, lt) : end
}

function quotedTagEnd(markup: string, lt: number): number {
  const mark = /["'>]/g
  for (mark.lastIndex = lt; mark.test(markup);) {
    const quote = markup[mark.lastIndex - 1] ?? ''
    if (quote === '>') return mark.lastIndex
    mark.lastIndex = behind(markup, quote, mark.lastIndex)
  }
  return markup.length
}

function behind(markup: string, end: string, from: number): number {
  const index = markup.indexOf(end, from)
  return index === -1 ? markup.length : index + end.length
}

function ignore(): void {
  // The scanner has refused what could be reported here.
}
