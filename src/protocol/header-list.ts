/** Decodes lists in the headers DAV and Allow. RFC 9110, section 5.6.1; RFC 4918, section 10.1. */

// A Coded-URL may have commas in it.
const ELEMENT = /(?:<[^<>]*>|[^,<]+|<)+/g

/**
 * Decodes the elements of a header, or of several fields joined by commas. Blanks separate nothing: `1 2` is one element.
 *
 * @returns The elements in their order, each once; an empty list for a missing header.
 */
export function decodeList(header: string | null): readonly string[] {
  const elements = header?.match(ELEMENT) ?? []
  return [...new Set(elements.map((element) => element.trim()).filter((text) => text !== ''))]
}
