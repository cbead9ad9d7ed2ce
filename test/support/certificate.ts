// A certificate for localhost and 127.0.0.1, made by openssl for the time of a test.

import {execFile} from 'node:child_process'
import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'

export interface Certificate {
  readonly cert: string
  readonly key: string
}

const SUBJECT = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
const KIND = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes a certificate that signs itself, so it is its own authority. */
export async function makeCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  try {
    const files = ['-keyout', keyFile, '-out', certFile]
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      '-days',
      '2',
      ...KIND,
      ...SUBJECT,
      ...files,
    ])
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')])
    return {cert, key}
  } finally {
    await rm(folder, {recursive: true})
  }
}
