// States that the scanner reads the W3C XML conformance suite as a conformant reader does, for the part that is ours. These are
// the documents without a DOCTYPE, and the others with theirs cut out. It refuses every DOCTYPE.
// XML 1.0 (fifth edition); Namespaces in XML 1.0; RFC 4918, section 17.
import {isDeepStrictEqual} from 'node:util'
import {describe, expect, it} from 'vitest'
import {
  contradictedEncodings,
  type Difference,
  falseEncodings,
  namespaceErrors,
  otherVersions,
  refusedBehindDoctype,
  refusedLater,
  surrogatePairs,
} from './differences.ts'
import {
  doctypeAt,
  type Event,
  type Events,
  readExpanded,
  readRaw,
  withoutDoctype,
} from './saxes-events.ts'
import {scan} from './scanner-events.ts'
import {loadSuite, type SuiteDocument} from './suite.ts'

/** A document as saxes reads it. */
interface Case {
  readonly document: Pick<SuiteDocument, 'id' | 'bytes' | 'text' | 'broken'>
  readonly raw: Events
  readonly expanded: Events
  /** The character before which a fault must be reported; Infinity without a fault. */
  readonly faultAt: number
}

function caseOf(document: Case['document']): Case {
  const raw = readRaw(document.text)
  const brokenAt = document.broken === undefined ? Number.POSITIVE_INFINITY : document.text.length
  const faultAt = Math.min(raw.fault?.at ?? Number.POSITIVE_INFINITY, brokenAt)
  return {document, raw, expanded: readExpanded(document.text), faultAt}
}

const isWellFormed = ({faultAt}: Case): boolean => faultAt === Number.POSITIVE_INFINITY
const idsOf = (differences: readonly Difference[]): ReadonlySet<string> =>
  new Set(differences.flatMap(({ids}) => ids))

const documents = await loadSuite()
const withDoctype = documents.filter(({text}) => doctypeAt(text) !== -1)
const without = documents.filter(({text}) => doctypeAt(text) === -1)

const misread = idsOf([...falseEncodings, ...surrogatePairs])
const later = idsOf(refusedLater)
const plain = without.filter(({id}) => !misread.has(id)).map(caseOf)
const wellFormed = plain.filter(isWellFormed)
const notWellFormed = plain.filter((each) => !isWellFormed(each))
// Behind a byte-order mark the text is UTF-8, whatever it declares.
const cut = withDoctype.flatMap(({id, text}) => {
  const rest = withoutDoctype(text)
  if (rest === undefined) return []
  return [
    caseOf({id, text: rest, bytes: new TextEncoder().encode(`\uFEFF${rest}`), broken: undefined}),
  ]
})
const cutWellFormed = cut.filter(isWellFormed)
const cutNotWellFormed = cut.filter((each) => !isWellFormed(each))

const chunkings: readonly (readonly [string, (bytes: Uint8Array) => readonly Uint8Array[]])[] = [
  ['in one chunk', (bytes) => [bytes]],
  ['byte by byte', (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte))],
]

/** The events of each element at a depth. */
function elementsAt(events: readonly Event[], depth: number): readonly (readonly Event[])[] {
  const elements: (readonly Event[])[] = []
  const open: number[] = []
  for (const [index, [kind]] of events.entries()) {
    if (kind === 'start') open.push(index)
    if (kind !== 'end') continue
    if (open.length === depth) elements.push(events.slice(open.at(-1), index + 1))
    open.pop()
  }
  return elements
}

/** The text between an element's tags, but not in its children. */
function textOf(element: readonly Event[]): string {
  let depth = 0
  let text = ''
  for (const event of element) {
    if (event[0] === 'start') depth++
    else if (event[0] === 'end') depth--
    else if (depth === 1) text += event[1]
  }
  return text
}

const hasChildren = (element: readonly Event[]): boolean =>
  element.filter(([kind]) => kind === 'start').length > 1

/** The differences between our reading of a well-formed document and that of saxes. */
function misreadings(
  {document, raw, expanded}: Case,
  chunks: readonly Uint8Array[],
): readonly string[] {
  const found: string[] = []
  const tags = raw.events.filter(([kind]) => kind !== 'text')
  for (let depth = 1; depth === 1 || elementsAt(raw.events, depth).length > 0; depth++) {
    const texts = scan(chunks, {depth, collects: 'text'})
    const markups = scan(chunks, {depth, collects: 'element'})
    if (texts.refusal !== undefined) return [`${document.id} is refused: ${texts.refusal.message}`]
    if (!isDeepStrictEqual(texts.tags, tags) || !isDeepStrictEqual(markups.tags, tags))
      found.push(`${document.id} has other tags`)
    const elements = elementsAt(raw.events, depth)
    if (!isDeepStrictEqual(texts.values, elements.map(textOf)))
      found.push(`${document.id} has other texts at depth ${depth}`)
    if (expanded.fault !== undefined) continue
    const trees = elementsAt(expanded.events, depth).map((element) =>
      hasChildren(element) ? element : textOf(element),
    )
    if (!isDeepStrictEqual(markups.values, trees))
      found.push(`${document.id} has other elements at depth ${depth}`)
  }
  return found
}

/** The faults of a document that are reported too late or not at all. */
function oversights(
  {document, raw, faultAt}: Case,
  chunks: readonly Uint8Array[],
): readonly string[] {
  const {tags, refusal} = scan(chunks, {depth: 1, collects: 'element'})
  if (refusal === undefined) return [`${document.id} is read`]
  const found: string[] = []
  const before = raw.events.filter(([kind]) => kind !== 'text').slice(0, tags.length)
  if (!isDeepStrictEqual(tags, before)) found.push(`${document.id} has other tags before its fault`)
  if (refusal.at > faultAt && !later.has(document.id))
    found.push(`${document.id} is refused at ${refusal.at} rather than ${faultAt}`)
  return found
}

describe.each(chunkings)('the conformance suite %s', (_, chunked) => {
  it('gives the tags, attributes and texts that saxes gives of documents without a DOCTYPE', () => {
    expect(wellFormed.length).toBeGreaterThan(100)
    expect(wellFormed.flatMap((each) => misreadings(each, chunked(each.document.bytes)))).toEqual(
      [],
    )
  })

  it('is refused at or before the fault that saxes finds without a DOCTYPE', () => {
    expect(notWellFormed.length).toBeGreaterThan(250)
    expect(notWellFormed.flatMap((each) => oversights(each, chunked(each.document.bytes)))).toEqual(
      [],
    )
  })

  it('is refused at or before every DOCTYPE, and as such without a fault before it', () => {
    const behind = idsOf(refusedBehindDoctype)
    expect(withDoctype.length).toBeGreaterThan(2000)
    const offenders = withDoctype.filter(({id, bytes, text}) => {
      const {refusal} = scan(chunked(bytes), {depth: 1, collects: 'element'})
      const doctype = doctypeAt(text)
      if (refusal === undefined) return true
      const isEarlier = refusal.at < doctype || refusal.reason === 'encoding'
      // An HTML page is named as one.
      const isSuch = refusal.at === doctype && /DOCTYPE|HTML/.test(refusal.message)
      return !isEarlier && !isSuch && !behind.has(id)
    })
    expect(offenders.map(({id}) => id)).toEqual([])
  })

  it('is read as saxes reads it with the DOCTYPE cut out', () => {
    expect(cutWellFormed.length).toBeGreaterThan(1000)
    expect(
      cutWellFormed.flatMap((each) => misreadings(each, chunked(each.document.bytes))),
    ).toEqual([])
  })

  it('is refused as saxes refuses it with the DOCTYPE cut out', () => {
    expect(cutNotWellFormed.length).toBeGreaterThan(100)
    expect(
      cutNotWellFormed.flatMap((each) => oversights(each, chunked(each.document.bytes))),
    ).toEqual([])
  })
})

/** The documents of a list, each with both readings. */
const listed = (differences: readonly Difference[], among: readonly Case[]): readonly Case[] =>
  among.filter(({document}) => idsOf(differences).has(document.id))

const isRead = ({document}: Case): boolean =>
  scan([document.bytes], {depth: 1, collects: 'element'}).refusal === undefined
const idsIn = (cases: readonly Case[]): readonly string[] => cases.map(({document}) => document.id)
const sorted = (ids: Iterable<string>): readonly string[] => [...ids].toSorted()
const refusedBySuite = new Set(documents.filter(({type}) => type === 'not-wf').map(({id}) => id))

describe('a document that the suite calls not well-formed and is read', () => {
  it('is on the lists of deliberate differences, each for its reason, and nothing else is', () => {
    const read = without.map(caseOf).filter((each) => isRead(each))
    const lists = [
      namespaceErrors,
      ...otherVersions,
      ...contradictedEncodings,
      ...falseEncodings,
      ...surrogatePairs,
    ]
    expect(sorted(idsIn(read).filter((id) => refusedBySuite.has(id)))).toEqual(sorted(idsOf(lists)))
  })

  it('is a namespace error and nothing more if rule 10 is the reason', () => {
    const cases = listed([namespaceErrors], plain)
    expect(cases).toHaveLength(namespaceErrors.ids.length)
    expect(cases.filter(isRead)).toEqual(cases)
    expect(idsIn(cases.filter(({raw}) => raw.fault !== undefined))).toEqual([])
    expect(idsIn(cases.filter(({expanded}) => expanded.fault === undefined))).toEqual([])
  })

  it('is well-formed XML 1.0 (fifth edition) if the reason is another version or a mark', () => {
    const cases = listed([...otherVersions, ...contradictedEncodings], plain)
    expect(idsIn(cases.filter((each) => !isWellFormed(each)))).toEqual([])
    expect(cases.length).toBeGreaterThan(0)
  })

  it('is unreadable in the encoding that it declares if that is the reason', () => {
    const cases = listed(falseEncodings, without.map(caseOf))
    expect(cases.map((each) => [isRead(each), isWellFormed(each)])).toEqual([[true, false]])
  })
})

describe('a document that is refused otherwise than by saxes', () => {
  it('is refused later, and not before or at its place', () => {
    const cases = [
      ...listed(refusedLater, notWellFormed),
      ...listed(refusedLater, cutNotWellFormed),
    ]
    const laterOnes = cases.filter(({document, faultAt}) => {
      const {refusal} = scan([document.bytes], {depth: 1, collects: 'element'})
      return refusal !== undefined && refusal.at > faultAt
    })
    expect(sorted(idsIn(laterOnes))).toEqual(sorted(later))
  })

  it('is refused behind the beginning of its DOCTYPE', () => {
    const behind = idsOf(refusedBehindDoctype)
    const found = withDoctype.filter(({id, bytes, text}) => {
      const {refusal} = scan([bytes], {depth: 1, collects: 'element'})
      return behind.has(id) && refusal !== undefined && refusal.at > doctypeAt(text)
    })
    expect(sorted(found.map(({id}) => id))).toEqual(sorted(behind))
  })

  it('is a namespace error: the documents that saxes reads without namespaces alone', () => {
    const errors = [...wellFormed, ...cutWellFormed].filter(({expanded}) => expanded.fault)
    expect(errors.filter(isRead)).toEqual(errors)
    expect(errors.length).toBeGreaterThan(namespaceErrors.ids.length)
  })
})

describe('the counts', () => {
  it('are all above zero', () => {
    const hasNamespaceError = ({expanded}: Case): boolean => expanded.fault !== undefined
    const counts: Readonly<Record<string, number>> = {
      'documents of the suite': documents.length,
      'without a DOCTYPE': without.length,
      '  well-formed, read alike': wellFormed.length,
      '    of them with a namespace error, only their tags and texts compared':
        wellFormed.filter(hasNamespaceError).length,
      '  not well-formed, refused': notWellFormed.length,
      'with a DOCTYPE, refused': withDoctype.length,
      '  with it cut out: well-formed, read alike': cutWellFormed.length,
      '    of these with a namespace error, only their tags and texts compared':
        cutWellFormed.filter(hasNamespaceError).length,
      '  with it cut out: not well-formed, refused': cutNotWellFormed.length,
      'deliberate differences: namespace errors': namespaceErrors.ids.length,
      'deliberate differences: other versions of XML': idsOf(otherVersions).size,
      'deliberate differences: a byte-order mark against a declaration':
        idsOf(contradictedEncodings).size,
      'deliberate differences: a false UTF-16': idsOf(falseEncodings).size,
      'deliberate differences: refused later than by saxes': later.size,
      'deliberate differences: refused behind the beginning of the DOCTYPE':
        idsOf(refusedBehindDoctype).size,
    }
    const lines = Object.entries(counts).map(
      ([what, count]) => `${String(count).padStart(5)}  ${what}`,
    )
    console.log(`W3C XML conformance suite\n${lines.join('\n')}`)
    expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([])
  })
})
