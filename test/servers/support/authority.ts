/** A certificate authority of the tests, made with openssl: certificates for any name and any time, with their keys. */
import {execFile} from 'node:child_process'
import {mkdtemp, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {giveToServer} from './account.ts'
import {removeFolder} from './disk.ts'
import {findProgram} from './recipe.ts'

const run = promisify(execFile)

export const hasOpenssl: boolean = findProgram('openssl') !== undefined

/** A certificate and its key, as texts and as files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

/** The demands on a certificate. */
interface CertificateOptions {
  /** Its subjectAltName, such as `DNS:localhost`. */
  readonly names: string
  /** Days from now to its beginning. Default: -1. */
  readonly from?: number
  /** Days from now to its end. Default: 7. */
  readonly until?: number
  /** True for one that no authority has signed. */
  readonly selfSigned?: boolean
}

export interface Authority {
  readonly folder: string
  /** The certificate of the authority, as text and as a file. */
  readonly ca: string
  readonly caFile: string
  issue(name: string, options: CertificateOptions): Promise<Certificate>
  remove(): Promise<void>
}

const CONFIGURATION = `
[ca]
default_ca = own
[own]
new_certs_dir = .
database = index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export async function makeAuthority(commonName: string): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-authority-'))
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, {cwd: folder})
  await writeFile(join(folder, 'openssl.cnf'), CONFIGURATION)
  await writeFile(join(folder, 'index'), '')
  const config = ['-config', 'openssl.cnf']
  const root = ['-x509', '-extensions', 'root', '-days', '7', '-subj', `/CN=${commonName}`]
  await openssl('req', ...config, ...KEY, ...root, '-keyout', 'ca.key', '-out', 'ca.pem')
  const caFile = join(folder, 'ca.pem')

  const issue = async (
    name: string,
    {names, from = -1, until = 7, selfSigned = false}: CertificateOptions,
  ): Promise<Certificate> => {
    const [cert, key, csr] = [`${name}.pem`, `${name}.key`, `${name}.csr`]
    const asked = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`]
    await openssl('req', ...config, ...KEY, ...asked, '-keyout', key, '-out', csr)
    const signer = selfSigned
      ? ['-selfsign', '-keyfile', key]
      : ['-keyfile', 'ca.key', '-cert', 'ca.pem']
    const times = ['-startdate', dateOf(from), '-enddate', dateOf(until)]
    await openssl(
      'ca',
      ...config,
      '-batch',
      '-notext',
      ...signer,
      ...times,
      '-in',
      csr,
      '-out',
      cert,
    )
    await giveToServer(folder)
    const [certFile, keyFile] = [join(folder, cert), join(folder, key)]
    return {
      cert: await readFile(certFile, 'utf8'),
      key: await readFile(keyFile, 'utf8'),
      certFile,
      keyFile,
    }
  }
  const remove = (): Promise<void> => removeFolder(folder)
  return {folder, ca: await readFile(caFile, 'utf8'), caFile, issue, remove}
}

/** Formats a day from now as openssl reads it, such as `20250131235959Z`. */
function dateOf(days: number): string {
  const text = new Date(Date.now() + days * 86_400_000).toISOString()
  return `${text.replaceAll(/[-:T]/g, '').slice(0, 14)}Z`
}
