/** The state of a fake server, and its requests and answers. RFC 4918, sections 8.3 and 16. */

import {canonicalPath, isWithin} from '../protocol/href.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument, XML_TYPE} from '../xml/writer.ts'
import type {Locks} from './locks.ts'
import type {MultiStatusBodyOptions, MultiStatusResponse} from './multistatus-body.ts'
import {multistatusBody} from './multistatus-body.ts'
import type {Tree} from './tree.ts'
import {isCollection} from './tree.ts'

/** The settings of a server. */
export interface Settings {
  readonly hasLocks: boolean
  /** The longest time of a lock, in milliseconds. */
  readonly lockTimeout: number
  readonly hasSync: boolean
  /** The most results in an answer to sync-collection. */
  readonly pageSize: number
  /** True if it lists everything below a collection at once. */
  readonly infinity: boolean
  /** The bytes that its files may have together. */
  readonly quota: number
  /** Names of headers in lower case. */
  readonly ignored: ReadonlySet<string>
}

/** A server, as the methods see it. */
export interface Site {
  readonly base: URL
  /** The canonical path of the base. */
  readonly prefix: string
  readonly settings: Settings
  readonly tree: Tree
  readonly locks: Locks
  /** Tokens of older versions are lost. RFC 6578, section 3.2. */
  horizon: number
  /** Finds the status with which a member refuses a DELETE, COPY or MOVE of a collection around it. */
  refusalOf(method: string, path: string): number | undefined
}

/** A request, read as a whole. */
export interface Asked {
  readonly method: string
  /** The canonical path below the base. */
  readonly path: string
  /** True for a URL with a slash at its end. */
  readonly hasSlash: boolean
  /** Headers by name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** An answer. */
export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Finds the path of a URL or of an absolute path below the base; `undefined` for another place. */
export function pathOf(
  {base, prefix}: Pick<Site, 'base' | 'prefix'>,
  reference: string,
): string | undefined {
  const url = URL.parse(reference, base)
  if (url?.origin !== base.origin || !isWithin(url.pathname, prefix)) return undefined
  return canonicalPath(url.pathname).slice(prefix.length)
}

/** Formats the href of a resource, with the slash of a collection. */
export function hrefOf({prefix, tree}: Site, path: string): string {
  return prefix + path + (isCollection(tree.find(path)) ? '/' : '')
}

/** Makes a 207. */
export function multistatus(
  responses: readonly MultiStatusResponse[],
  options?: MultiStatusBodyOptions,
): Answer {
  return {
    status: 207,
    headers: {'content-type': XML_TYPE},
    body: multistatusBody(responses, options),
  }
}

/** Makes a refusal that names its condition. RFC 4918, section 16. */
export function refusal(status: number, condition: string, hrefs: readonly string[] = []): Answer {
  const body = formatDocument({name: 'error', children: [conditionElement(condition, hrefs)]})
  return {status, headers: {'content-type': XML_TYPE}, body}
}

/** Makes the element of a condition. RFC 4918, section 16. */
export function conditionElement(name: string, hrefs: readonly string[]): ElementToWrite {
  return {name, children: hrefs.map((href) => ({name: 'href', children: [href]}))}
}
