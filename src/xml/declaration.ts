/**
 * Checks processing instructions, and the XML declaration, which looks like one. Ignores their content but for the encoding.
 * XML 1.0, sections 2.6, 2.8 and 4.3.3.
 */

import {describeForbidden, FORBIDDEN, NAME, WHITE_SPACE} from './characters.ts'

const INSTRUCTION = /* @__PURE__ */ new RegExp(`^${NAME}(?:${WHITE_SPACE}[^]*)?$`, 'u')
const EQUALS = `${WHITE_SPACE}*=${WHITE_SPACE}*`
// Version, encoding and standalone in this order, as the production XMLDecl has them. Any 1.x is read as 1.0: section 2.8.
const DECLARATION = /* @__PURE__ */ new RegExp(
  `^xml${WHITE_SPACE}+version${EQUALS}(["'])1\\.\\d+\\1` +
    `(?:${WHITE_SPACE}+encoding${EQUALS}(["'])([A-Za-z][\\w.\\-]*)\\2)?` +
    `(?:${WHITE_SPACE}+standalone${EQUALS}(["'])(?:yes|no)\\4)?${WHITE_SPACE}*$`,
)

/** Finds the fault in the text between `<?` and `?>`; `undefined` for a good instruction or declaration. */
export function instructionFault(text: string, atBeginning: boolean): string | undefined {
  // `xml` is reserved, in capitals too. Only the declaration may begin with it.
  if (/^xml(?![^ \t\r\n])/i.test(text)) {
    if (!atBeginning) return 'an XML declaration may stand at the beginning only'
    return DECLARATION.test(text) ? undefined : 'the XML declaration is malformed'
  }
  const forbidden = FORBIDDEN.exec(text)
  if (forbidden !== null) return describeForbidden(forbidden[0])
  return INSTRUCTION.test(text) ? undefined : 'a processing instruction is malformed'
}

/** Reads the encoding from the XML declaration at the beginning of a text, if there is one. */
export function declaredEncoding(text: string): string | undefined {
  const declaration = /^<\?([^]*?)\?>/.exec(text)?.[1] ?? ''
  return DECLARATION.exec(declaration)?.[3]
}
