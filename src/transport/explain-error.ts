/** Gives every error of a transport its class, and words that name the request. The place of the error decides, not its words. */

import {DavError, DavNetworkError, DavTimeoutError, visible} from '../protocol/errors.ts'
import {HiddenRedirectError} from './redirects.ts'
import type {DavRequest} from './transport.ts'
import {isUndecodable, UndecodableError} from './undecodable.ts'

/** The error to throw for one of a transport or a platform. */
export function explainError(error: unknown, {method, url}: DavRequest): DavError {
  if (error instanceof DavError) return error
  if (DavError.is(error)) return ownError(error)
  const facts = {cause: error, method, url}
  const code = errorCode(error)
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return new DavTimeoutError(`${method} ${url} could not connect in time`, 'connect', facts)
  const words = visible(messageOf(error).trim(), 300)
  return new DavNetworkError(`${method} ${url} failed: ${words}`, facts)
}

/** The error for an answer that a browser gives in the place of a redirect. */
export function hiddenRedirect({method, url}: DavRequest): HiddenRedirectError {
  const sentence = `${method} ${url} was answered with a redirect, which browsers do not show: write the URL that is meant, with the slash that a collection ends with`
  return new HiddenRedirectError(sentence, {method, url})
}

/** An error of a transport from another copy of the package, as one of this copy. */
function ownError(error: DavError): DavError {
  const {message, method, url} = error
  const facts = {cause: error, method, url}
  if (DavTimeoutError.is(error)) return new DavTimeoutError(message, error.timeout, facts)
  return DavNetworkError.is(error)
    ? new DavNetworkError(message, facts)
    : new DavError(message, facts)
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return errorCode(error.cause)
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // The words of zlib do not say that they are about the body.
  if (isUndecodable(error)) return UndecodableError.of(error).message
  const cause = error.cause instanceof Error ? error.cause.message : ''
  // An AggregateError of several addresses has its words in its parts.
  const parts = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : ''
  const isEmpty = error.message === '' || EMPTY_WORDS.has(error.message)
  return (
    [isEmpty ? '' : error.message, cause, parts, errorCode(error), error.message].find(
      (text) => text !== '',
    ) ?? ''
  )
}

// Messages of the platform's fetch that say nothing: its cause has the words.
const EMPTY_WORDS: ReadonlySet<string> = new Set(['fetch failed', 'terminated'])
