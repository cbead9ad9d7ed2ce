// The answers of a model server besides the true ones: refusals, broken bodies, and 207s that name members in the ways of
// real servers or cannot be read. RFC 4918, sections 9.6.1, 9.8.5 and 13.

import type {Random} from '../fuzz/random.ts'
import {type Answer, answer207, CLOSE, OPEN, RESET, SHUT} from './fault-server.ts'
import {propstat, verdict} from './fixtures.ts'
import type {FaultName} from './model-faults.ts'
import {element} from './model-properties.ts'
import type {Reply} from './model-transport.ts'

const XML = {'content-type': 'application/xml; charset=utf-8'}
export const HTML = {'content-type': 'text/html; charset=utf-8'}
export const PAGE = '<!DOCTYPE html><html><body><h1>Index</h1><ul><li>a<br></ul></body></html>'
const MEMBER_STATUSES = [423, 403, 500, 507] as const

/** The fault of a request, if it has one. */
export type Fault = FaultName | undefined
/** Counts the fault of a request as met. */
export type Meet = () => void

const INNER = 'http://inner.example:8080'

/** The answers of faults that do nothing. */
export function plainFault(fault: Fault): Reply | undefined {
  switch (fault) {
    case 'reset before':
      return RESET
    case '503':
      return {status: 503, headers: {...HTML, 'retry-after': '0'}, body: PAGE}
    case '500 page':
      return {status: 500, headers: HTML, body: PAGE}
    case '423':
      return {
        status: 423,
        headers: XML,
        body: '<D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>',
      }
    case '507':
      return {status: 507}
    default:
      return undefined
  }
}

/** Resets the connection in place of the answer. */
export function reset(meet: Meet): typeof RESET {
  meet()
  return RESET
}

/** Breaks the connection in the body of an answer, if the fault is that one. */
export function breakIn(answer: Answer, fault: Fault, meet: Meet): Reply {
  const {body} = answer
  if (fault !== 'reset in the answer' || typeof body !== 'string') return answer
  meet()
  return {...answer, body: [body.slice(0, body.length >> 1), RESET]}
}

/** Picks some of the members, none of them below another. */
export function pickSome(members: readonly string[], dice: Random): ReadonlySet<string> {
  const picked = new Set<string>()
  const [first] = members
  if (first === undefined) return picked
  for (const member of members) {
    const isInside = Array.from(picked).some((one) => member.startsWith(`${one}/`))
    if (!isInside && dice.oneIn(3)) picked.add(member)
  }
  return picked.size > 0 ? picked : picked.add(first)
}

/** Formats responses for members, in one of the ways of servers. */
export function nameAll(
  members: readonly string[],
  places: readonly string[],
  dice: Random,
  status?: string,
): readonly string[] {
  const place = dice.pick(places)
  const origin = dice.oneIn(4) ? INNER : ''
  const isLowerCase = dice.oneIn(4)
  return members.map((member) => {
    const href = joined(place, member)
    const written = isLowerCase ? href.replaceAll(/%[\dA-F]{2}/g, (one) => one.toLowerCase()) : href
    return verdict(origin + written, status ?? `HTTP/1.1 ${dice.pick(MEMBER_STATUSES)} No`)
  })
}

/** Joins the escaped path of a collection and the joined names of a member. */
export function joined(place: string, member: string): string {
  if (member === '') return place
  return `${place.replace(/\/$/, '')}/${member.split('/').map(encodeURIComponent).join('/')}`
}

/** Answers with a 207 that nobody can read to its end. */
export function wrong207(responses: readonly string[], dice: Random): Reply {
  const body = OPEN + responses.join('')
  return dice.pick<Reply>([
    answer207(`${body}<D:response></D:href>${SHUT}`),
    answer207(body),
    answer207([body, CLOSE]),
    answer207([body, RESET]),
    {status: 207, headers: XML},
    answer207(PAGE, HTML),
  ])
}

/** Formats a Multi-Status document. */
export function document(responses: readonly string[]): string {
  return OPEN + responses.join('') + SHUT
}

/** Formats a propstat without values. */
export function group(names: readonly string[], status: string): string {
  return propstat(status, names.map((name) => element(name, '')).join(''))
}
