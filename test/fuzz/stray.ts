// Whether a DAV:response begins in another place than directly in the root. Recovery is then in doubt whether the end of what is
// around it is lost, until the end of the root or a limit settles it.

import {changeText} from './markup.ts'

const SECTION = /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>/g
const TAG = /<(\/?)([^\s<>/]*)[^<>]*/g
const RESPONSE = /^(?:[^:]*:)?response$/

/** Goes by the tags alone, and tells too often rather than too seldom; whatever its prefix means, `response` counts. */
export function hasStrayResponse(body: Uint8Array): boolean {
  let isStray = false
  changeText(body, (text) => {
    isStray = isStrayIn(text)
    return ''
  })
  return isStray
}

function isStrayIn(text: string): boolean {
  let depth = 0
  let isInResponse = false
  for (const [tag, slash, name = ''] of text.replaceAll(SECTION, '').matchAll(TAG)) {
    const isResponse = RESPONSE.test(name)
    if (slash === '') {
      if (isResponse && (isInResponse || depth !== 1)) return true
      if (!tag.endsWith('/')) depth++
    } else {
      depth--
    }
    if (isResponse) isInResponse = slash === '' && !tag.endsWith('/')
  }
  return false
}
