/** Methods by their effect. RFC 9110, section 9.2.1; RFC 3253, section 3.6; RFC 5323, section 2. */

const SAFE = /^(?:PROPFIND|OPTIONS|GET|HEAD|REPORT|SEARCH)$/

// They create, or write beside a resource: none of them removes or replaces the resource of its URL.
const HARMLESS = /^(?:ACL|COPY|LOCK|MKCALENDAR|MKCOL|POST|PROPPATCH|UNLOCK)$/

/** Reports if a method may remove or replace the resource of its URL. An unknown method may. */
export function isDestructive(method: string): boolean {
  return !isSafe(method) && !HARMLESS.test(method)
}

/** Reports if a method changes nothing on the server, so that sending it twice does no harm. */
export function isSafe(method: string): boolean {
  return SAFE.test(method)
}
