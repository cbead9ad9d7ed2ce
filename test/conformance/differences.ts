// Deliberate differences from the suite or from saxes, each with its reason. A test shows that each one does differ.

/** Documents of the suite, by id, and why they are read, or refused, otherwise. */
export interface Difference {
  readonly why: string
  readonly ids: readonly string[]
}

const numbered = (from: number, to: number, id: (number: number) => string): readonly string[] =>
  Array.from({length: to - from + 1}, (_, index) => id(from + index))

/** Namespaces in XML refuses them; we read them. */
export const namespaceErrors: Difference = {
  why: 'contract, rule 10: a namespace error is never fatal, because it leaves the structure alone',
  ids: ['rmt-ns11-005', 'ht-bh-ns11-007', 'ht-bh-ns11-008'].concat(
    [13, 14, 15, 16, 23, 25, 26, 29, 30, 31, 32, 33, 36, 42].map((number) => `rmt-ns10-0${number}`),
  ),
}

/** The suite calls them not well-formed by the rules of another version or edition than ours; we read them. */
export const otherVersions: readonly Difference[] = [
  {
    why: 'XML 1.0, section 2.8: a document that says 1.1 is read as 1.0, which allows U+007F to U+009F',
    ids: numbered(32, 63, (number) => `ibm-1-1-not-wf-P02-ibm02n${number}.xml`).filter(
      (id) => !id.includes('n58'),
    ),
  },
  {
    why: 'the fifth edition allows more in names than the first four',
    ids: ['rmt-016', 'rmt-019'],
  },
]

/** The suite calls them not well-formed for their declarations; we read them. */
export const contradictedEncodings: readonly Difference[] = [
  {
    why: 'RFC 7303, section 3.2: a byte-order mark wins over the declaration',
    ids: ['hst-lhs-007', 'hst-lhs-008'],
  },
]

/** The suite, and saxes after it, reads them in the encoding that they declare, and they are nothing in it; we read them. */
export const falseEncodings: readonly Difference[] = [
  {
    why: 'text that can be read as bytes is no UTF-16, whatever it declares: .NET writes that over UTF-8',
    ids: ['rmt-e2e-61'],
  },
]

/** The suite and saxes refuse references to surrogates; we read the two of a pair. */
export const surrogatePairs: readonly Difference[] = [
  {
    why: 'two references side by side to the halves of a pair are one character: SOGo 5.8 writes that',
    ids: ['o-p66fail6'],
  },
]

/** Both readers refuse them, with their DOCTYPE cut out if they have one; we do so at a later place. */
export const refusedLater: readonly Difference[] = [
  {
    why: 'a tag is read when it is whole: no fault in it is reported before',
    ids: ['o-p42fail3'],
  },
  {
    why: 'so is a declaration or an instruction, and these have no end',
    ids: ['o-p23fail5', 'o-p39fail4', 'ibm-not-wf-P19-ibm19n03.xml'],
  },
]

/** They have a DOCTYPE, and are refused behind its beginning. */
export const refusedBehindDoctype: readonly Difference[] = [
  {
    why: 'the declaration before it has no end, so all that follows is part of it',
    ids: ['ibm-not-wf-P23-ibm23n05.xml'],
  },
  {
    why: 'the name of the DOCTYPE begins with broken bytes: they are told instead',
    ids: ['21', '22', '23', '24'].flatMap((number) => [
      `ibm-1-1-not-wf-P04-ibm04n${number}.xml`,
      `x-ibm-1-0.5-not-wf-P04-ibm04n${number}.xml`,
    ]),
  },
]
