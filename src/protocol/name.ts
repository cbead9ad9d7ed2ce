/**
 * Names of XML elements as one string: names in `DAV:` by their local name, all others in Clark notation. Prefixes never matter.
 * RFC 4918, section 17; Namespaces in XML 1.0.
 */

/** The namespace of WebDAV's own elements. RFC 4918, section 14. */
export const DAV = 'DAV:'

/** The namespace of the prefix `xml`, which needs no declaration. */
export const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

/** Formats a name: `getetag` in `DAV:`, `{ns}local` in any other namespace, `{}local` in none. */
export function formatName(namespace: string, local: string): string {
  return namespace === DAV ? local : `{${namespace}}${local}`
}

/**
 * Makes the key of a property from a formatted name. A `DAV:` name that every object inherits, such as `constructor`, becomes
 * `{DAV:}constructor`, so that no server can hide a member of `Object.prototype`.
 */
export function propertyKey(name: string): string {
  return name in Object.prototype ? `{${DAV}}${name}` : name
}

/** Parses a formatted name, and `{DAV:}local` too. */
export function parseName(name: string): {namespace: string; local: string} {
  if (!name.startsWith('{')) return {namespace: DAV, local: name}
  const end = name.lastIndexOf('}')
  return {namespace: name.slice(1, end), local: name.slice(end + 1)}
}

/** Makes the key of a property from a caller's name: `getetag` and `{DAV:}getetag` are one. */
export function keyOfName(name: string): string {
  return name.startsWith(`{${DAV}}`) ? propertyKey(name.slice(DAV.length + 2)) : propertyKey(name)
}
