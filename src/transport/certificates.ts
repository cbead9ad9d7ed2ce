/**
 * Explains the errors of TLS: the fault, and the remedy. The codes are those of Node and of OpenSSL, whose names for alerts differ
 * between versions. Node only.
 */

import {visible} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {BarredError} from './barred.ts'
import type {DavRequest} from './transport.ts'

const UNTRUSTED =
  'the certificate comes from an authority that Node does not trust: give the certificate of the authority as ca, or name its file in NODE_EXTRA_CA_CERTS'
const UNASKED = 'the server wants a client certificate: give cert and key'
const REFUSED =
  'the server refused the client certificate: give cert and key that it trusts, with the certificates between them and their authority'

const SPEAKS_TLS = 'the server speaks TLS at this port: write https:'

/** The advice for each code. The first pattern that matches decides. */
type Advice = readonly (readonly [code: RegExp, advice: string])[]

/** For the refusal of a client certificate. By TLS 1.3 it comes after the request was sent, which the server has not read. */
const AT_ANY_TIME: Advice = [
  [/_ALERT_CERTIFICATE_REQUIRED$/, UNASKED],
  [
    /_ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)$/,
    REFUSED,
  ],
]

/** For a connection that is being made. */
const WHILE_CONNECTING: Advice = [
  ...AT_ANY_TIME,
  [/^CERT_HAS_EXPIRED$/, 'the certificate has expired: renew it, or check the clock of this host'],
  [
    /^CERT_NOT_YET_VALID$/,
    'the certificate is not valid yet: check the clock of this host, or wait',
  ],
  [/^CERT_REVOKED$/, 'the certificate was revoked: let the server have a new one'],
  [
    /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
    'the certificate is self-signed: give it as ca, or name its file in NODE_EXTRA_CA_CERTS',
  ],
  [
    /^(?:UNABLE_TO_|SELF_SIGNED_CERT_IN_CHAIN$|CERT_UNTRUSTED$|INVALID_CA$|CERT_SIGNATURE_FAILURE$|CERT_CHAIN_TOO_LONG$)/,
    UNTRUSTED,
  ],
  [
    /_ALERT_HANDSHAKE_FAILURE$/,
    'the server ended the handshake: it may want a client certificate, to be given as cert and key, or share no cipher with Node',
  ],
  [
    /_(?:ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW)$/,
    'the server has only versions of TLS that are too old for Node: update it, or give a dispatcher with a lower minVersion',
  ],
  [
    /_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE|RECORD_LAYER_FAILURE)$/,
    'the other side does not speak TLS at this port: write http: for a server without TLS, or name its port for TLS',
  ],
  [
    /^CA_MD_TOO_WEAK$|_KEY_TOO_SMALL$|_DIGEST_TOO_WEAK$/i,
    'a certificate is too weak for Node: let it be made with a longer key or with SHA-256',
  ],
]

// The first bytes of a TLS alert, which a server sends as its answer to plain HTTP.
const TLS_ALERT = '\u0015\u0003'

/**
 * Explains an error of TLS, of its cause or of its parts. Returns `undefined` for any other error.
 *
 * @param isConnected - True if a request may have reached the server, which may have carried it out.
 */
export function adviseOnTls(error: unknown, isConnected = false): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return adviseOnName(error)
  if (typeof code === 'string') {
    const advices = isConnected ? AT_ANY_TIME : WHILE_CONNECTING
    const [, advice] = advices.find(([pattern]) => pattern.test(code)) ?? []
    if (advice !== undefined) return `${advice} (${code})`
  }
  if (String(memberOf(error, 'data')).startsWith(TLS_ALERT)) return SPEAKS_TLS
  const parts: unknown[] = error instanceof AggregateError ? error.errors : []
  return [error.cause, ...parts]
    .map((one) => adviseOnTls(one, isConnected))
    .find((advice) => advice !== undefined)
}

/** Reads the code of an error. Node gives the errors of a write to TLS the code EPROTO, and the reason of OpenSSL in the message. */
function codeOf(error: Error): unknown {
  const code = memberOf(error, 'code')
  const reason = /:error:[^:]*:[^:]*:[^:]*:([\w ]+):/.exec(error.message)?.[1]
  if (code !== 'EPROTO' || reason === undefined) return code
  return `ERR_SSL_${reason.toUpperCase().replaceAll(' ', '_')}`
}

function adviseOnName(error: Error): string {
  const [host, names] = [
    memberOf(error, 'host'),
    memberOf(memberOf(error, 'cert'), 'subjectaltname'),
  ]
  const bearer = typeof names === 'string' ? visible(names, 200) : 'no name'
  return `the certificate is for ${bearer}, not for ${String(host)}: use a URL with a name of the certificate, or let the server have one for this name`
}

// Words of nginx, Apache and Go in a page with the status 400.
const PAGES: readonly (readonly [words: RegExp, advice: string])[] = [
  [/No required SSL certificate was sent/, UNASKED],
  [/The SSL certificate error/, REFUSED],
  [
    /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled|HTTP request to an HTTPS server/,
    SPEAKS_TLS,
  ],
]

/** Makes the public error for the page of a server that takes no request over this connection; `undefined` for another page. */
export function explainPage(chunk: Uint8Array, request: DavRequest): BarredError | undefined {
  const text = Buffer.from(chunk).toString('latin1')
  const [, advice] = PAGES.find(([words]) => words.test(text)) ?? []
  return advice === undefined ? undefined : barred(advice, request)
}

/** Makes the public error for an error of TLS that came before an answer; `undefined` for any other error. */
export function explainTls(
  error: unknown,
  request: DavRequest,
  isConnected: boolean,
): BarredError | undefined {
  const advice = adviseOnTls(error, isConnected)
  return advice === undefined ? undefined : barred(advice, request, error)
}

function barred(advice: string, {method, url}: DavRequest, cause?: unknown): BarredError {
  const facts = {method, url, ...(cause !== undefined && {cause})}
  return new BarredError(`${method} ${url} failed: ${advice}`, facts)
}
