/**
 * Markup that is no tag: what `<!` begins, processing instructions, and the XML declaration, which looks like one.
 * XML 1.0, sections 2.5 to 2.8.
 */

import {describeForbidden, FORBIDDEN, NAME, SPACE} from './characters.ts'

const INSTRUCTION = new RegExp(`^${NAME}(?:${SPACE}[^]*)?$`, 'u')
const EQUALS = `${SPACE}*=${SPACE}*`
const DECLARATION = new RegExp(
  `^xml${SPACE}+version${EQUALS}(["'])1\\.\\d+\\1` +
    `(?:${SPACE}+encoding${EQUALS}(["'])([A-Za-z][\\w.\\-]*)\\2)?` +
    `(?:${SPACE}+standalone${EQUALS}(["'])(?:yes|no)\\4)?${SPACE}*$`,
)

const COMMENT = '<!--'
const CDATA = '<![CDATA['
const HTML = '<!DOCTYPE HTML'

/** How many bytes tell what a `<!` begins. */
export const LONGEST_BEGINNING: number = HTML.length

/** What a `<!` begins, of which the beginning is given. `cut` where the text ends too early to tell. */
export function declarationOf(
  text: string,
  isCut: boolean,
): 'comment' | 'cdata' | 'cut' | 'html' | 'doctype' | 'nothing' {
  if (text.startsWith(COMMENT)) return 'comment'
  if (text.startsWith(CDATA)) return 'cdata'
  const begin = text.toUpperCase()
  if (isCut && [COMMENT, CDATA, HTML].some((whole) => whole.startsWith(begin))) return 'cut'
  if (begin === HTML) return 'html'
  return begin.startsWith('<!DOCTYPE') ? 'doctype' : 'nothing'
}

/** What is wrong with what stands between `<?` and `?>`, `undefined` where nothing is. */
export function instructionFault(text: string, atBeginning: boolean): string | undefined {
  if (/^xml(?![^ \t\r\n])/i.test(text)) {
    if (!atBeginning) return 'an XML declaration stands elsewhere than at the beginning'
    return DECLARATION.test(text) ? undefined : 'the XML declaration is not well-formed'
  }
  const forbidden = text.search(FORBIDDEN)
  if (forbidden !== -1) return describeForbidden(text.charAt(forbidden))
  return INSTRUCTION.test(text) ? undefined : 'a processing instruction is not well-formed'
}

/** The encoding that an XML declaration names, if the text begins with one. */
export function declaredEncoding(text: string): string | undefined {
  const declaration = /^<\?([^]*?)\?>/.exec(text)?.[1] ?? ''
  return DECLARATION.exec(declaration)?.[3]
}
