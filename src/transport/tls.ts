/**
 * The certificates and the key of a transport, as plain options. They are read when the transport is made, because Node ignores an
 * unreadable authority without a word. Node only.
 */

import {X509Certificate} from 'node:crypto'
import type {SecureContext} from 'node:tls'
import {createSecureContext} from 'node:tls'

import type {Rule, Rules} from '../protocol/options.ts'

/** Certificates and a key for TLS. */
export interface TlsOptions {
  /**
   * The certificates of the authorities to trust: PEM text or the bytes of a file, each with one certificate or several. They replace
   * the authorities that Node trusts. To keep those too, give `[...tls.rootCertificates, yours]`.
   *
   * @defaultValue the authorities of Node, with those of NODE_EXTRA_CA_CERTS
   */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** The certificate of this client in PEM, for a server that asks for one. Behind it, the certificates up to its authority. */
  readonly cert?: string | Uint8Array | undefined
  /** The private key of `cert` in PEM, without a passphrase. */
  readonly key?: string | Uint8Array | undefined
}

const PEM = 'PEM text, or the bytes of a PEM file'

export const TLS_OPTIONS: Rules<TlsOptions> = {
  ca: {
    words: `${PEM}, or an array of these`,
    accepts: (value) => (Array.isArray(value) ? value.every(isPem) : isPem(value)),
  },
  cert: pemRule(),
  key: pemRule(),
}

function pemRule(): Rule {
  return {words: PEM, accepts: isPem}
}

function isPem(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array
}

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.+?-----END \1-----/gs

/**
 * Makes the context of `tls.connect` for the options, `undefined` without any. A connection then holds no text of the key.
 *
 * @param call - The name of the call, which begins each message.
 * @throws TypeError for a certificate without its key, and for text that Node cannot read.
 */
export function readTls(call: string, {ca, cert, key}: TlsOptions): SecureContext | undefined {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, absent] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new TypeError(`${call}: ${given} needs ${absent} too`)
  }
  if (ca === undefined && cert === undefined) return undefined
  const authorities = [ca ?? []].flat().map(textOf)
  if (ca !== undefined && !(authorities.length > 0 && authorities.every(isReadable))) {
    throw new TypeError(
      `${call}: ca has no readable certificate; give the content of a PEM file, not its path`,
    )
  }
  try {
    return createSecureContext({
      ...(ca !== undefined && {ca: authorities}),
      ...(cert !== undefined && key !== undefined && {cert: textOf(cert), key: textOf(key)}),
    })
  } catch (cause) {
    throw new TypeError(
      `${call}: cert and key are no readable pair; give the content of two PEM files, and a key without a passphrase`,
      {cause},
    )
  }
}

function textOf(pem: string | Uint8Array): string {
  return typeof pem === 'string' ? pem : Buffer.from(pem).toString('latin1')
}

/** Tells if text has certificates, each of which can be read. */
function isReadable(text: string): boolean {
  const found = text.match(CERTIFICATE) ?? []
  try {
    return found.length > 0 && found.every((one) => new X509Certificate(one).raw.length > 0)
  } catch {
    return false
  }
}
