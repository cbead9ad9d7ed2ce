// The answers of an unruly server to the DELETE of a resource. Some 207s name too much, too little or something else,
// some bodies break off, and any status may have any body. RFC 4918, sections 9.6.1 and 13.

import {type Answer, answer207, CLOSE, OPEN, RESET, SHUT} from './fault-server.ts'
import {verdict} from './fixtures.ts'
import type {FaultName} from './unruly-faults.ts'
import {ancestorsOf, type Refused, type Resource} from './unruly-tree.ts'

/** An answer, and the resources that its reader knows to be gone. */
export interface Outcome {
  readonly answer: Answer
  readonly gone: readonly Resource[]
}

/** The facts after a DELETE. */
export interface Deletion {
  readonly target: Resource
  readonly refused: readonly Refused[]
  /** Members that this DELETE removed. */
  readonly removed: readonly Resource[]
  /** The href of an unrelated resource. */
  readonly elsewhere: string
}

const GONE = 'HTTP/1.1 204 No Content'
const HTML = '<!DOCTYPE html><html><body><h1>Sorry</h1><p>Try again<br></body></html>'
const ERROR = '<?xml version="1.0"?><error xmlns="urn:gateway"><message>late</message></error>'
const LOCKED =
  '<?xml version="1.0" encoding="utf-8"?><D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>'
const INNER = 'http://inner.example:8080'
const html = {'content-type': 'text/html; charset=utf-8'}
const xml = {'content-type': 'application/xml'}

function unclear(answer: Answer): Outcome {
  return {answer, gone: []}
}

/** Answers after a complete deletion, by name. */
export const WHOLE: Readonly<Record<string, (deletion: Deletion) => Outcome>> = {
  '204': ({target}) => ({answer: {status: 204}, gone: [target]}),
  '200 with a page': ({target}) => ({
    answer: {status: 200, headers: html, body: HTML},
    gone: [target],
  }),
  '207, empty': ({target}) => ({answer: answer207(OPEN + SHUT), gone: [target]}),
  '207 that names the members, gone': ({target, removed}) => ({
    answer: answer207(document(namesOf(removed))),
    gone: [target, ...removed],
  }),
  '207 that names the target, gone': ({target}) => ({
    answer: answer207(document([verdict(bare(target), 'HTTP/1.1 200 OK')])),
    gone: [target],
  }),
  '207 as text/html': ({target}) => ({
    answer: answer207(document([verdict(target.href, GONE)]), html),
    gone: [target],
  }),
  '207 that names others, gone': ({target, elsewhere}) => ({
    answer: answer207(document([verdict(elsewhere, GONE), verdict('/', GONE)])),
    gone: [target],
  }),
  '207 without a body': () => unclear({status: 207, headers: xml}),
  '207 with a page': () => unclear(answer207(HTML, html)),
  '207, reset in it': ({removed}) => unclear(answer207([OPEN, ...namesOf(removed), RESET])),
  '207, closed in it': ({removed}) => unclear(answer207([OPEN, ...namesOf(removed), CLOSE])),
  '207, half a document': ({removed}) => unclear(answer207(OPEN + namesOf(removed).join(''))),
  '207, not well-formed': ({removed}) =>
    unclear(answer207(`${OPEN}${namesOf(removed).join('')}<D:response></D:href>${SHUT}`)),
}

/** Answers after a refused deletion, by name. The one with status 424 removes all or nothing. */
export const PART: Readonly<Record<string, (deletion: Deletion) => Outcome>> = {
  '207 with the failures': ({refused}) =>
    unclear(answer207(document(refused.map((one) => failed(one))))),
  '207 with what is gone too': ({refused, removed}) => ({
    answer: answer207(document([...namesOf(removed), ...refused.map((one) => failed(one))])),
    gone: removed,
  }),
  '207 with the ancestors': ({refused, target}) =>
    unclear(
      answer207(document([...refused.map((one) => failed(one)), ...ancestors(refused, target)])),
    ),
  '207 with an inner host': ({refused}) =>
    unclear(answer207(document(refused.map((one) => failed(one, INNER))))),
  '207 in other escapes': ({refused}) =>
    unclear(
      answer207(document(refused.map((one) => failed(one))).replaceAll(/%[\dA-F]{2}/g, lowerCase)),
    ),
  '207 with each member twice': ({refused}) =>
    unclear(answer207(document([...refused, ...refused].map((one) => failed(one))))),
  '207 with the target twice': ({target}) =>
    unclear(
      answer207(
        document([
          verdict(target.href, 'HTTP/1.1 200 OK'),
          verdict(bare(target), 'HTTP/1.1 423 Locked'),
        ]),
      ),
    ),
  '207 with other hrefs': ({refused, elsewhere}) =>
    unclear(
      answer207(document(refused.map(({status}) => verdict(elsewhere, `HTTP/1.1 ${status} No`)))),
    ),
  '207 without an href': ({refused}) =>
    unclear(
      answer207(
        document(
          refused.map(
            ({status}) => `<D:response><D:status>HTTP/1.1 ${status} No</D:status></D:response>`,
          ),
        ),
      ),
    ),
  '207 as text/html': ({refused}) =>
    unclear(answer207(document(refused.map((one) => failed(one))), html)),
  '424 with a multistatus': ({refused}) =>
    unclear({...answer207(document(refused.map((one) => failed(one)))), status: 424}),
  '207, reset in it': ({refused}) =>
    unclear(answer207([OPEN, ...refused.map((one) => failed(one)), RESET])),
  '207, half a document': ({refused}) =>
    unclear(answer207(OPEN + refused.map((one) => failed(one)).join(''))),
  '207, not well-formed': ({refused}) =>
    unclear(
      answer207(`${OPEN}${refused.map((one) => failed(one)).join('')}<D:response></D:href>${SHUT}`),
    ),
}

/** The only answer that removes nothing if a resource refuses its deletion. */
export const ALL_OR_NOTHING = '424 with a multistatus'

/** Answers of the faults that have one. */
export const FAULT_ANSWERS: Readonly<Partial<Record<FaultName, Answer>>> = {
  '429 Retry-After 0': {status: 429, headers: {'retry-after': '0'}},
  '429 Retry-After 1': {status: 429, headers: {'retry-after': '1'}},
  '503 burst': {status: 503, headers: {...html, 'retry-after': '0'}, body: HTML},
  '500 HTML': {status: 500, headers: html, body: HTML},
  '502 XML': {status: 502, headers: xml, body: ERROR},
  '504 XML': {status: 504, headers: xml, body: ERROR},
  '504 XML, done': {status: 504, headers: xml, body: ERROR},
  '202, done': {status: 202, body: 'queued'},
}

/** Answers for a refused file, or a collection refused as a whole: a status, or a 207 around it as nephele writes it. */
export function refusal({resource, status}: Refused, isWrapped: boolean): Answer {
  const error = status === 423 ? '<D:error><D:lock-token-submitted/></D:error>' : ''
  if (isWrapped)
    return answer207(document([verdict(resource.href, `HTTP/1.1 ${status} No`, error)]))
  if (status === 423) return {status, headers: xml, body: LOCKED}
  return status === 403 ? {status} : {status, headers: html, body: HTML}
}

function document(responses: readonly string[]): string {
  return OPEN + responses.join('') + SHUT
}

function namesOf(removed: readonly Resource[]): string[] {
  return removed.map(({href}) => verdict(href, GONE))
}

function failed({resource, status}: Refused, origin = ''): string {
  return verdict(origin + resource.href, `HTTP/1.1 ${status} No`)
}

/** Formats the collections up to the target, without their slashes, as Apache names them: 403 for 403, else 424. */
function ancestors(refused: readonly Refused[], target: Resource): string[] {
  const statuses = new Map<Resource, number>()
  for (const {resource, status} of refused) {
    for (const one of ancestorsOf(resource)) {
      if (statuses.get(one) !== 403) statuses.set(one, status === 403 ? 403 : 424)
      if (one === target) break
    }
  }
  return [...statuses]
    .toSorted(([one], [other]) => other.path.length - one.path.length)
    .map(([one, status]) => verdict(bare(one), `HTTP/1.1 ${status} No`))
}

function bare({href}: Resource): string {
  return href.replace(/\/$/, '')
}

function lowerCase(escape: string): string {
  return escape.toLowerCase()
}
