/**
 * Requests without a body that find out if the server accepts the credentials. Only some credentials need them, so a page without
 * those has no bytes of this.
 */

import {randomHex} from '../protocol/random.ts'
import type {DavRequest} from '../transport/transport.ts'

// Headers of one request. The others may be those that a gateway wants.
const OF_REQUEST = /^(?:content-|if|destination$|overwrite$|depth$|oc-|x-oc-|upload-|tus-)/

/**
 * Makes the requests that ask for a challenge before a body that can be read once only. Each needs the rights of a writer, where a
 * PROPFIND may need none, and changes nothing. The next one is for servers that answer before they check the credentials.
 */
export function* questionsBefore({url, headers, signal}: DavRequest): Generator<DavRequest> {
  const others = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OF_REQUEST.test(name)),
  )
  const common = signal === undefined ? {} : {signal}
  // No lock has the token. RFC 4918, section 9.11.
  const token = `<urn:uuid:${randomHex().replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}>`
  yield {...common, method: 'UNLOCK', url, headers: {...others, 'lock-token': token}}
  // No resource has the name. CivetWeb and Cyrus know no UNLOCK, and say so to everybody.
  yield {...common, method: 'DELETE', url: new URL(randomHex(), url).href, headers: others}
}
