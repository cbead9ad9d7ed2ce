/**
 * Parses the markup of one element into plain objects. Checks nothing: the scanner has read the same markup before, and has
 * refused every fault. XML 1.0; Namespaces in XML 1.0.
 */

import {CDATA, decodeText, ODD_IN_SECTION} from './characters.ts'
import {isDeclaration, type Scope} from './scope.ts'
import {readStartTag} from './tag.ts'

/** An element as a value: a property with child elements, or one of them. */
export interface XmlElement {
  /** `lockinfo` in `DAV:`, else `{ns}local`; `{}local` in no namespace. */
  readonly name: string
  /** By name: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. Declarations of namespaces are left out. */
  readonly attributes: Readonly<Record<string, string>>
  /** Elements and text, mixed, in order. */
  readonly children: readonly (XmlElement | string)[]
}

/** Picks the elements among an element's children. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

/** An element whose end tag has not been read. */
interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[]
  readonly scope: Scope
}

const NO_ATTRIBUTES: Readonly<Record<string, string>> = /* @__PURE__ */ Object.freeze({})
// The scanner has applied the limits already.
const UNBOUNDED = {name: Number.POSITIVE_INFINITY, attributes: Number.POSITIVE_INFINITY}
// A start tag with quotes, which may hold a `>`.
const QUOTED_TAG = /<(?:"[^"]*"|'[^']*'|[^"'>])*>/y

/** Parses the markup of an element, in the scope around it. The result is frozen: equal values of a listing share it. */
export function parseElement(markup: string, scope: Scope): XmlElement {
  // A stack, not recursion: the nesting is the server's choice.
  const outer: OpenElement[] = []
  let open: OpenElement = {name: '', attributes: NO_ATTRIBUTES, children: [], scope}
  const close = (): void => {
    const {name, attributes, children} = open
    const parent = outer.pop()
    if (parent === undefined) return
    parent.children.push(Object.freeze({name, attributes, children: Object.freeze(children)}))
    open = parent
  }
  for (let at = 0; at < markup.length;) {
    const lt = markup.indexOf('<', at)
    if (lt > at) addText(open, markup.slice(at, lt))
    const next = markup[lt + 1]
    const isSection = next === '!' && markup.startsWith(CDATA, lt)
    const mark = isSection ? ']]>' : next === '!' ? '-->' : next === '?' ? '?>' : '>'
    at = markup.indexOf(mark, lt + (next === '!' ? '<!--'.length : 1)) + mark.length
    if (isSection) addText(open, markup.slice(lt + CDATA.length, at - mark.length), ODD_IN_SECTION)
    else if (next === '/') close()
    else if (mark === '>') {
      if (/["']/.test(markup.slice(lt, at))) {
        QUOTED_TAG.lastIndex = lt
        at = lt + (QUOTED_TAG.exec(markup)?.[0].length ?? 0)
      }
      const {name, attributes, selfClosing} = readStartTag(markup.slice(lt + 1, at - 1), UNBOUNDED)
      const inner = open.scope.declare(attributes)
      outer.push(open)
      open = {
        name: inner.elementName(name).text,
        attributes: attributes.size === 0 ? NO_ATTRIBUTES : named(attributes, inner),
        children: [],
        scope: inner,
      }
      if (selfClosing) close()
    }
  }
  const [element] = open.children
  if (element === undefined || typeof element === 'string')
    throw new TypeError('the markup is no element')
  return element
}

/** Resolves the names of attributes, and leaves out declarations of namespaces. */
function named(
  attributes: ReadonlyMap<string, string>,
  scope: Scope,
): Readonly<Record<string, string>> {
  const entries = [...attributes]
    .filter(([name]) => !isDeclaration(name))
    .map(([name, value]) => [scope.attributeName(name), value])
  // `fromEntries` defines properties. An assignment to `__proto__` would set the prototype instead.
  return Object.freeze(Object.fromEntries(entries))
}

/** Adds text to an element. Text on both sides of a comment or of a CDATA section's edge becomes one child. */
function addText({children}: OpenElement, written: string, odd?: RegExp): void {
  const text = /[&\r]/.test(written) ? decodeText(written, ignore, odd) : written
  const last = children.at(-1)
  if (text === '') return
  if (typeof last === 'string') children[children.length - 1] = last + text
  else children.push(text)
}

function ignore(): void {
  // The scanner has refused every fault.
}
