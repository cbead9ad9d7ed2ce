/** An element of XML as a plain object. Namespaces in XML 1.0. */

/** An element as a value: a property with child elements, or one of them. */
export interface XmlElement {
  /** `lockinfo` in `DAV:`, else `{ns}local`; `{}local` in no namespace. */
  readonly name: string
  /** By name: `x` without a prefix, else `{ns}x`, for those of `DAV:` too. Declarations of namespaces are left out. */
  readonly attributes: Readonly<Record<string, string>>
  /** Elements and text, mixed, in order. */
  readonly children: readonly (XmlElement | string)[]
}

/** Picks the elements among an element's children: none without an element. */
export function childElements(element: XmlElement | undefined): XmlElement[] {
  return element?.children.filter((child) => typeof child !== 'string') ?? []
}
