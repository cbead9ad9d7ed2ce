/** Formats an exchange as a line for a log or a bug report. */

import {visible} from '../protocol/errors.ts'
import type {DavExchange} from './dav-exchange.ts'
import {USER_AGENT} from './user-agent.ts'

/**
 * Formats an exchange as one line, for a log or a bug report. It has the time, the request, the answer or the error, milliseconds and
 * bytes, the server, and the versions of this package and the platform. It has no credential. It has the path, which names files.
 *
 * @example
 * ```ts
 * const dav = new DavClient({url, onExchange: (exchange) => console.error(formatExchange(exchange))})
 * ```
 */
export function formatExchange(exchange: DavExchange): string {
  const {method, url, depth, attempt, startedAt, times, status, error, retryAfter} = exchange
  const {server, sentBytes, receivedBytes, contentType} = exchange
  const outcome = [
    ...(status === undefined ? [] : [String(status)]),
    // Messages of this package begin with the request.
    ...(error === undefined
      ? []
      : [`${error.name}: ${error.message.replace(`${method} ${url} `, '')}`]),
  ].join(', then ')
  const parts = [
    `${new Date(startedAt).toISOString()} ${method} ${url}${depth === undefined ? '' : ` (Depth: ${depth})`}`,
    outcome === '' ? 'no answer' : outcome,
    times.headers === undefined
      ? milliseconds(times.end)
      : `${milliseconds(times.headers)} to headers, ${milliseconds(times.end)} in all`,
    `sent ${sentBytes} B, received ${receivedBytes} B`,
    ...(attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(retryAfter === undefined ? [] : [`Retry-After ${milliseconds(retryAfter)}`]),
    ...(contentType === undefined ? [] : [contentType]),
    ...(server === undefined ? [] : [server]),
    USER_AGENT,
    platform(),
  ]
  return parts.map((part) => visible(part, 600)).join(' | ')
}

function milliseconds(time: number): string {
  return `${Math.round(time)} ms`
}

/** Names the platform. Node's own word for itself lacks the minor version. */
function platform(): string {
  const globals: {
    readonly navigator?: {readonly userAgent?: string}
    readonly process?: {readonly versions?: {readonly node?: string}}
  } = globalThis
  const name = globals.navigator?.userAgent ?? 'unknown platform'
  return name.startsWith('Node.js/') ? `Node.js/${globals.process?.versions?.node ?? ''}` : name
}
