/** GET, HEAD and OPTIONS of a fake server. RFC 9110, sections 9.3, 13 and 14; RFC 4918, sections 9.4 and 10.1. */

import {decodeDate} from '../protocol/date.ts'
import {isNoneMatched, matches} from './conditions.ts'
import type {Answer, Asked, Site} from './site.ts'
import type {FileResource} from './tree.ts'
import {isCollection} from './tree.ts'

const ALLOW = 'OPTIONS, PROPFIND, PROPPATCH, COPY, MOVE, DELETE, MKCOL'

/** Answers an OPTIONS. */
export function options({settings: {hasLocks, hasSync}, tree}: Site, {path}: Asked): Answer {
  const dav = ['1', ...(hasLocks ? ['2'] : []), '3', 'extended-mkcol']
  const isFile = !isCollection(tree.find(path))
  const allow = [
    ALLOW,
    ...(isFile ? ['GET, HEAD, PUT'] : []),
    ...(hasLocks ? ['LOCK, UNLOCK'] : []),
    ...(hasSync && !isFile ? ['REPORT'] : []),
  ]
  return {status: 200, headers: {dav: dav.join(', '), allow: allow.join(', ')}}
}

/** Answers a GET or a HEAD. */
export function get({tree}: Site, {method, path, headers}: Asked): Answer {
  const file = tree.find(path)
  if (file === undefined) return {status: 404}
  if (isCollection(file)) return {status: 405, headers: {allow: ALLOW}}
  const {content, etag, type, modified} = file
  const fields = {etag: etag, 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes'}
  if (!matches(headers['if-match'], file)) return {status: 412}
  if (isUnchanged(headers, file)) return {status: 304, headers: fields}
  const whole = {status: 200, headers: {...fields, 'content-type': type}, body: content}
  // A range is for GET alone. RFC 9110, section 14.2.
  const hasRange = method === 'GET' && isCurrent(headers['if-range'], file)
  const range = hasRange ? readRange(headers['range']) : undefined
  if (range === undefined) return whole
  const total = content.length
  const {start, end} =
    'last' in range ? {start: Math.max(0, total - range.last), end: total - 1} : range
  if (start >= total) return {status: 416, headers: {'content-range': `bytes */${total}`}}
  const last = Math.min(end ?? total - 1, total - 1)
  return {
    status: 206,
    headers: {...whole.headers, 'content-range': `bytes ${start}-${last}/${total}`},
    body: content.subarray(start, last + 1),
  }
}

/** Evaluates If-None-Match, else If-Modified-Since. RFC 9110, section 13.2.2. */
function isUnchanged(headers: Asked['headers'], file: FileResource): boolean {
  const tags = headers['if-none-match']
  if (tags !== undefined) return isNoneMatched(tags, file)
  const since = decodeDate(headers['if-modified-since'] ?? '')
  return since !== undefined && wholeSeconds(file.modified) <= since.getTime()
}

/** Evaluates If-Range. RFC 9110, section 13.1.5. */
function isCurrent(header: string | undefined, {etag, modified}: FileResource): boolean {
  if (header === undefined || header === etag) return true
  return decodeDate(header)?.getTime() === wholeSeconds(modified)
}

function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000
}

/** Reads a range. Several ranges, and other units, are answered as if there were none. RFC 9110, section 14.2. */
function readRange(
  header = '',
): {start: number; end: number | undefined} | {last: number} | undefined {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header)
  const [, first = '', last = ''] = match ?? []
  if (first === '') return last === '' ? undefined : {last: Number(last)}
  const [start, end] = [Number(first), last === '' ? undefined : Number(last)]
  return end === undefined || start <= end ? {start, end} : undefined
}
