/**
 * Reads a small document as a whole, such as the `DAV:error` body of a refused request. The rules are
 * those of a large one, but nothing is thrown: the refusal must not be lost to an error of XML.
 */

import {DOCUMENT_LIMITS} from '../protocol/bounds.ts'
import type {XmlElement} from './element.ts'
import {EncodingReader} from './encoding.ts'
import type {ScannerLimits} from './handler.ts'
import {ScanError} from './handler.ts'
import type {PathNode, Structured} from './path.ts'
import {Scanner} from './scanner.ts'
import {Source} from './source.ts'

/** Reads a document: its text as far as it can be decoded, and its root element if it is well-formed XML. */
export function readDocument(
  chunks: readonly (Uint8Array | string)[],
  charset: string | undefined,
  limits: ScannerLimits = DOCUMENT_LIMITS,
): {text: string; root: XmlElement | undefined} {
  let text = ''
  const encoding = new EncodingReader(charset, {
    text: (piece) => (text += piece.text),
    // People read this text. They are to see that something is missing.
    broken: () => (text += '\uFFFD'),
  })
  unlessBroken(() => {
    for (const chunk of chunks) encoding.write(chunk)
    encoding.end()
  })
  return {text, root: readRoot(text, limits)}
}

/** Reads the root element; `undefined` if the text is no well-formed XML. An HTML page, for example, is none. */
export function readRoot(
  text: string,
  limits: ScannerLimits = DOCUMENT_LIMITS,
): XmlElement | undefined {
  let root: XmlElement | undefined
  const handler = {
    classify(node: PathNode): void {
      if (node.depth !== 1) return
      node.role = 1
      node.collects = 'element'
    },
    open: ignore,
    learn: ignore,
    close(node: PathNode, value: string | Structured): void {
      root = typeof value === 'string' ? node.element(value === '' ? [] : [value]) : value.element
    },
    fault: ignore,
    mayBeNext: () => false,
    fed: ignore,
  }
  const scanner = new Scanner(handler, limits, false)
  return unlessBroken(() => {
    scanner.feed(new Source(text))
    scanner.end()
    return root
  })
}

/** Runs a reading, and turns its fault into `undefined`. Any other error is a bug, and is thrown on. */
function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof ScanError) return undefined
    throw error
  }
}

function ignore(): undefined {
  // The root is taken as a whole, and nothing is recovered.
}
