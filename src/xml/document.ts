/** Small whole documents, such as the body of a refused request: read as strictly as a large one, and never thrown over. */

import type {XmlElement} from './element.ts'
import {parseElement} from './element.ts'
import {EncodingReader, UnknownEncodingError} from './encoding.ts'
import type {PathNode} from './path.ts'
import {ScanError} from './handler.ts'
import {Scanner} from './scanner.ts'
import {escapeText} from './characters.ts'
import {Scope} from './scope.ts'
import {Source} from './source.ts'

const LIMITS = {
  tag: 65_536,
  name: 1024,
  attributes: 256,
  depth: 256,
  value: 1_048_576,
  elements: 10_000,
}

/** The text of a document, as far as it can be decoded, and its root element where it is well-formed XML. */
export function readDocument(
  chunks: readonly (Uint8Array | string)[],
  charset: string | undefined,
): {text: string; root: XmlElement | undefined} {
  let text = ''
  const encoding = new EncodingReader(charset)
  const receiver = {
    text: (piece: Source): void => {
      text += piece.text
    },
    broken: (): void => {
      text += '\uFFFD'
    },
  }
  try {
    for (const chunk of chunks) {
      if (typeof chunk === 'string') encoding.writeText(chunk, receiver)
      else encoding.write(chunk, receiver)
    }
    encoding.end(receiver)
  } catch (error) {
    if (!(error instanceof UnknownEncodingError)) throw error
  }
  return {text, root: readRoot(text)}
}

function readRoot(text: string): XmlElement | undefined {
  let root: XmlElement | undefined
  const handler = {
    classify(node: PathNode): void {
      if (node.depth !== 1) return
      node.role = 1
      node.collects = 'markup'
    },
    open(): void {
      // Only the end of the root counts.
    },
    close(node: PathNode, value: string, structured: boolean): void {
      if (node.depth !== 1) return
      root = parseElement(
        `<${node.tag}${node.selfClosing ? '>' : `>${structured ? value : escapeText(value)}</${node.rawName}>`}`,
        Scope.root(),
      )
    },
    fault(): void {
      // Nothing is recovered here.
    },
    mayBeNext: () => false,
    fed(): void {
      // Nor is anything held but that value.
    },
  }
  const scanner = new Scanner(handler, LIMITS, false)
  try {
    scanner.feed(new Source(text))
    scanner.end()
    return root
  } catch (error) {
    if (error instanceof ScanError) return undefined
    throw error
  }
}
