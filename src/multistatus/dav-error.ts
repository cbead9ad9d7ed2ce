/** A `DAV:error`, the body of a refusal. RFC 4918, section 14.5. */

import type {XmlElement} from '../xml/element.ts'

/** Recognizes an error by the root of a body. SOGo writes the namespace `DAV:` without its colon. */
export function errorOf(root: XmlElement | undefined): XmlElement | undefined {
  return root?.name === 'error' || root?.name === '{DAV}error' ? root : undefined
}
