// A collection that changes while it is read, behind the pages of Nextcloud and of Yandex Disk. Nextcloud keeps the whole listing at
// the first page, and may forget it. Yandex Disk makes each page anew, by name. No RFC has such pages.

import type {Random} from '../fuzz/random.ts'
import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  type SeenRequest,
} from './fault-server.ts'

/** A kind of server. `offset, itself counted` takes the collection for its first result; `offset, capped` gives three at most. */
export const KINDS = [
  'Nextcloud',
  'Nextcloud 31.0',
  'Nextcloud without a cache',
  'offset',
  'offset, itself counted',
  'offset, capped',
  'without pages',
] as const
export type Kind = (typeof KINDS)[number]

/** The members of the collection `/docs/`, as they come and go. */
export interface PagedMembers {
  readonly now: Set<string>
  /** All that were ever there. */
  readonly ever: Set<string>
  /** Those that were there all the time. */
  readonly always: Set<string>
  /** The number of changes behind the first answer. */
  changes: number
}

/** Scripts a server. It changes the members before a request now and then. */
export function servePages(server: FaultServer, kind: Kind, random: Random): PagedMembers {
  const now = new Set<string>()
  const add = (): void => {
    const number = random.below(40)
    now.add(number % 3 === 0 ? `/docs/${number}/` : `/docs/${number}`)
  }
  for (let count = random.below(20); count > 0; count--) add()
  const members = {now, ever: new Set(now), always: new Set(now), changes: 0}
  const change = (): void => {
    members.changes++
    if (random.oneIn(2) && now.size > 0) {
      const gone = random.pick([...now])
      now.delete(gone)
      members.always.delete(gone)
    } else add()
    for (const one of now) members.ever.add(one)
  }
  const answer = kind.startsWith('Nextcloud')
    ? nextcloud(kind, random, members)
    : ({url}: SeenRequest): Answer => answer207(listing(...pageOf(kind, url, members.now)))
  server.script((request, number) => {
    for (let count = number > 1 ? random.below(3) : 0; count > 0; count--) change()
    return answer(request)
  })
  return members
}

const all = (now: ReadonlySet<string>): string[] => ['/docs/', ...[...now].toSorted()]

function pageOf(kind: Kind, url: string, now: ReadonlySet<string>): readonly string[] {
  const {searchParams} = new URL(url, 'http://localhost/')
  const offset = searchParams.get('offset')
  if (offset === null || kind === 'without pages') return all(now)
  const amount = Number(searchParams.get('amount'))
  const [from, most] = [Number(offset), kind === 'offset, capped' ? Math.min(amount, 3) : amount]
  if (kind === 'offset, itself counted') return all(now).slice(from, from + most)
  return ['/docs/', ...all(now).slice(1 + from, 1 + from + most)]
}

function nextcloud(
  kind: Kind,
  random: Random,
  {now}: PagedMembers,
): (request: SeenRequest) => Answer {
  const kept = new Map<string, readonly string[]>()
  return ({headers}) => {
    const token = headers['x-nc-paginate-token']
    const count = Number(headers['x-nc-paginate-count'] ?? 100)
    if (typeof token === 'string') {
      if (random.oneIn(6)) kept.delete(token)
      const results = kept.get(token)
      const from = Number(headers['x-nc-paginate-offset'])
      const isLost = results !== undefined && kind === 'Nextcloud' && random.oneIn(8)
      if (isLost) return {status: 500}
      const page = results?.slice(from, from + count)
      if (page !== undefined || kind === 'Nextcloud 31.0')
        return answer207(listing(...(page ?? [])), {'x-nc-paginate': 'true'})
    }
    const results = all(now)
    if (headers['x-nc-paginate'] !== 'true') return answer207(listing(...results))
    // Nextcloud 34 has no token for a single page.
    if (kind === 'Nextcloud' && results.length <= count) return answer207(listing(...results))
    const made = `t${kept.size + 1}`
    if (kind !== 'Nextcloud without a cache') kept.set(made, results)
    return answer207(listing(...results.slice(0, count)), {
      'x-nc-paginate': 'true',
      'x-nc-paginate-token': made,
      'x-nc-paginate-total': `${results.length}`,
    })
  }
}
