/**
 * Names of XML elements as one string: `DAV:` names by their local name, all others in Clark notation. Prefixes never matter.
 * RFC 4918, section 17; the XML namespaces recommendation.
 */

/** The namespace of WebDAV's own elements. RFC 4918, section 14. */
export const DAV = 'DAV:'

/** The namespace that the prefix `xml` is bound to without a declaration. */
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

/** `getetag` for a name of `DAV:`, `{ns}local` for any other, `{}local` in no namespace. */
export function formatName(namespace: string, local: string): string {
  return namespace === DAV ? local : `{${namespace}}${local}`
}

/**
 * The name as the key of a property. A name of `DAV:` that every object inherits (`constructor`, `toString`, …) is
 * `{DAV:}constructor`, so that no server can write over a member of `Object.prototype`.
 */
export function propertyKey(name: string): string {
  return name in Object.prototype ? `{${DAV}}${name}` : name
}

/** The two parts of a name as `formatName` writes it. `{DAV:}local` is read too. */
export function parseName(name: string): {namespace: string; local: string} {
  if (!name.startsWith('{')) return {namespace: DAV, local: name}
  const end = name.lastIndexOf('}')
  return {namespace: name.slice(1, end), local: name.slice(end + 1)}
}

/** The key of the property that a caller names: `getetag` and `{DAV:}getetag` are one. */
export function keyOfName(name: string): string {
  return name.startsWith(`{${DAV}}`) ? propertyKey(name.slice(DAV.length + 2)) : propertyKey(name)
}
