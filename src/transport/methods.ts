/** Knows the effects of methods, for guards and redirects. RFC 9110, section 9.2.1; RFC 3253, section 3.6; RFC 5323, section 2. */

const SAFE = /^(?:PROPFIND|OPTIONS|GET|HEAD|REPORT|SEARCH)$/

// Methods that create a resource, or write beside one. None of them removes or replaces the resource of its URL.
const HARMLESS = /^(?:ACL|COPY|LOCK|MKCALENDAR|MKCOL|POST|PROPPATCH|UNLOCK)$/

/** Tells if a method may remove or replace the resource of its URL. An unknown method counts as one that may. */
export function isDestructive(method: string): boolean {
  return !isSafe(method) && !HARMLESS.test(method)
}

/** Tells if a method changes nothing on the server, so that it may be sent twice. */
export function isSafe(method: string): boolean {
  return SAFE.test(method)
}
