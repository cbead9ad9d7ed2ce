/**
 * Gives each error of a transport its public class, and a message that names the request. The place of the error decides its
 * class, because platforms differ in their words.
 */

import {
  DavError,
  DavNetworkError,
  DavTimeoutError,
  hideCredentials,
  messageOf,
  visible,
} from '../protocol/errors.ts'
import {HiddenRedirectError} from './redirects.ts'
import type {DavRequest} from './transport.ts'
import {isUndecodable, UndecodableError} from './undecodable.ts'

/** Makes the public error for an error of a transport or a platform, which becomes its `cause`. */
export function explainError(error: unknown, {method, url}: DavRequest): DavError {
  if (error instanceof DavError) return error
  if (DavError.is(error)) return ownError(error)
  const facts = {cause: error, method, url}
  const code = errorCode(error)
  const words = visible(hideCredentials(factsOf(error).trim()), 600)
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    const limit = /timeout: (\d+) ?ms/.exec(words)?.[1]
    // Without a number, the limit is that of the system.
    const outcome =
      limit === undefined
        ? 'could not connect before the system gave up: the server may be down, or a firewall may drop packets'
        : `could not connect within ${limit} ms: if the network is slow, raise timeout.connect, or connectTimeout of the transport`
    return new DavTimeoutError(`${method} ${url} ${outcome}`, 'connect', facts)
  }
  return new DavNetworkError(`${method} ${url} failed: ${words}`, facts)
}

/** Makes the error for a redirect that a browser hides. */
export function hiddenRedirect({method, url}: DavRequest): HiddenRedirectError {
  const sentence = `${method} ${url} was answered with a redirect, which browsers hide: write the final URL, with the slash of a collection`
  return new HiddenRedirectError(sentence, {method, url})
}

/** Converts an error of another copy of the package to a class of this copy, so that `instanceof` works inside. */
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

function factsOf(error: unknown): string {
  if (!(error instanceof Error)) return messageOf(error)
  const {cause, message} = error
  const isEmpty = EMPTY_WORDS.test(message)
  if (isEmpty && cause instanceof Error) return factsOf(cause) || message
  // The messages of zlib do not mention the body.
  if (isUndecodable(error)) return UndecodableError.of(error).message
  // undici 8.12 asserts that a status is one of a final answer.
  if (errorCode(error) === 'ERR_ASSERTION')
    return 'no valid answer, such as one with the status 0 or 101'
  // Node tries several addresses, and its AggregateError has no message of its own.
  const parts = error instanceof AggregateError ? error.errors.map(factsOf).join(', ') : ''
  return (isEmpty ? '' : message) || parts || errorCode(error) || message
}

// Messages of Node's fetch without any fact. The cause has the facts.
const EMPTY_WORDS = /^(?:|fetch failed|terminated)$/
