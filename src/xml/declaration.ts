/** Processing instructions, and the XML declaration, which looks like one. XML 1.0, sections 2.6, 2.8 and 4.3.3. */

import {describeForbidden, FORBIDDEN, NAME, WHITE_SPACE} from './characters.ts'

const INSTRUCTION = /* @__PURE__ */ new RegExp(`^${NAME}(?:${WHITE_SPACE}[^]*)?$`, 'u')
const EQUALS = `${WHITE_SPACE}*=${WHITE_SPACE}*`
const DECLARATION = /* @__PURE__ */ new RegExp(
  `^xml${WHITE_SPACE}+version${EQUALS}(["'])1\\.\\d+\\1` +
    `(?:${WHITE_SPACE}+encoding${EQUALS}(["'])([A-Za-z][\\w.\\-]*)\\2)?` +
    `(?:${WHITE_SPACE}+standalone${EQUALS}(["'])(?:yes|no)\\4)?${WHITE_SPACE}*$`,
)

/** Describes the fault between `<?` and `?>`; `undefined` for a good instruction or declaration. */
export function instructionFault(text: string, atBeginning: boolean): string | undefined {
  if (/^xml(?![^ \t\r\n])/i.test(text)) {
    if (!atBeginning) return 'an XML declaration may stand at the beginning only'
    return DECLARATION.test(text) ? undefined : 'the XML declaration is malformed'
  }
  const forbidden = FORBIDDEN.exec(text)
  if (forbidden !== null) return describeForbidden(forbidden[0])
  return INSTRUCTION.test(text) ? undefined : 'a processing instruction is malformed'
}

/** The encoding that an XML declaration names, if the text begins with one. */
export function declaredEncoding(text: string): string | undefined {
  const declaration = /^<\?([^]*?)\?>/.exec(text)?.[1] ?? ''
  return DECLARATION.exec(declaration)?.[3]
}
