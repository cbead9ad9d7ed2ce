/**
 * Whether a listing was whole, as far as one answer can tell. When in doubt it was not: programs delete files over it.
 * RFC 4918, section 9.1.
 */

import type {Depth} from '../protocol/depth.ts'
import type {DavResult} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'

/** Looks at the results of one PROPFIND as they pass. */
export class Completeness {
  readonly #depth: Depth
  readonly #incomplete: Incomplete[] = []
  #hasListed = false
  #reachesDeep = false
  #collections: string[] = []

  constructor(depth: Depth) {
    this.#depth = depth
  }

  /** Whether anything was said of the collection or of what is in it. */
  get hasListed(): boolean {
    return this.#hasListed
  }

  /** Looks at results. Only Depth infinity has something to find: what a failed member is not alone in. */
  see(results: readonly DavResult<unknown>[]): void {
    this.#hasListed ||= results.some(({relation}) => relation !== 'outside')
    if (this.#depth !== 'infinity') return
    for (const result of results) {
      if (result.relation === 'descendant') {
        this.#reachesDeep = true
        this.#collections = []
      }
      if (result.relation !== 'member' && result.relation !== 'descendant') continue
      if (!result.ok) this.#seeFailure(result.url, result.status)
      else if (!this.#reachesDeep && result.relation === 'member' && isCollection(result))
        this.#collections.push(result.url)
    }
  }

  /** Says something else that was found. */
  add(incomplete: Incomplete): void {
    this.#incomplete.push(incomplete)
  }

  /**
   * Why the listing is not whole. A server that was asked for everything and showed nothing below the first level may
   * have cut it there, as SabreDAV, Radicale and Nextcloud do: each collection is then one that may have members.
   */
  incomplete(): readonly Incomplete[] {
    return [
      ...this.#incomplete,
      ...this.#collections.map((href) => ({href, reason: 'shallow' as const})),
    ]
  }

  /** A member that failed may be a collection, and then what is in it was not listed. */
  #seeFailure(href: string, status: number): void {
    if (status === 404 || status === 410) return
    this.#incomplete.push({href, reason: status === 507 ? 'storage' : 'failed', status})
  }
}

function isCollection(result: {readonly url: string; readonly properties: unknown}): boolean {
  const properties = result.properties
  if (typeof properties === 'object' && properties !== null && 'resourcetype' in properties) {
    const types: unknown = properties.resourcetype
    if (Array.isArray(types)) return types.includes('collection')
  }
  return result.url.endsWith('/')
}
