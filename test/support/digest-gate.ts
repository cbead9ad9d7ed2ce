// A model of a server's Digest authentication, written from RFC 7616 with Node's own hash functions. It counts nonces strictly.

import {createHash, randomBytes} from 'node:crypto'

import type {Answer, FaultServer, SeenRequest} from './fault-server.ts'

const ALGORITHMS: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
}

export interface GateOptions {
  readonly username?: string
  readonly password?: string
  readonly realm?: string
  /** The algorithms in the order of the challenges. */
  readonly algorithms?: readonly string[]
  /** Uses of a nonce after which it is stale. */
  readonly uses?: number
  /** Milliseconds after which a nonce is stale. */
  readonly lifetime?: number
  /** Further parameters of each challenge, such as `charset=UTF-8`. */
  readonly more?: string
  /** Sends the next nonce with each answer. */
  readonly rotates?: boolean
  /** Takes a nonce on the connection of its challenge only, and does not say that another one is stale. */
  readonly isBound?: boolean
  /** Sends no proof. */
  readonly isSilent?: boolean
}

export interface Gate {
  /** Returns the refusal of a request; or the headers for its answer. */
  admit(
    request: SeenRequest,
  ): {readonly refusal: Answer} | {readonly headers: Record<string, string>}
  /** Refuses a request whatever its credentials are. */
  refusal(request: SeenRequest): Answer
  /** Uses of a nonce and a count that came before. */
  readonly repeated: readonly string[]
  /** Forgets all nonces, as a restarted server does. */
  restart(): void
}

interface Nonce {
  readonly born: number
  readonly counts: Set<string>
  readonly connection: number
}

export function hashOf(algorithm: string): (text: string) => string {
  const name = ALGORITHMS[algorithm.replace(/-sess$/, '')] ?? ''
  return (text) => createHash(name).update(text, 'utf8').digest('hex')
}

export function makeGate(options: GateOptions = {}): Gate {
  const {username = 'ana', password = 'secret', realm = 'files', algorithms = ['MD5']} = options
  const {uses = Infinity, lifetime = Infinity, more = '', isBound = false} = options
  const nonces = new Map<string, Nonce>()
  const repeated: string[] = []
  const issue = (connection: number): string => {
    const nonce = randomBytes(12).toString('base64')
    nonces.set(nonce, {born: performance.now(), counts: new Set(), connection})
    return nonce
  }
  const refuse = (connection: number, isStale = false): {readonly refusal: Answer} => ({
    refusal: {
      status: 401,
      headers: {
        'www-authenticate': algorithms.map(
          (algorithm) =>
            `Digest realm="${realm}", nonce="${issue(connection)}", algorithm=${algorithm}, qop="auth,auth-int", opaque="o-1"${isStale ? ', stale=true' : ''}${more}`,
        ),
      },
      body: 'No.',
    },
  })
  return {
    repeated,
    refusal: ({connection}) => refuse(connection).refusal,
    restart: () => nonces.clear(),
    admit(request) {
      const {connection} = request
      const header = request.headers.authorization
      if (header?.startsWith('Digest ') !== true) return refuse(connection)
      const given = fieldsOf(header)
      const state = nonces.get(given['nonce'] ?? '')
      const {nonce = '', nc = '', cnonce = '', uri = '', algorithm = 'MD5'} = given
      if (uri !== request.url) throw new Error(`uri is ${uri} for ${request.url}`)
      const hash = hashOf(algorithm)
      const account = hash(`${username}:${realm}:${password}`)
      const secret = algorithm.endsWith('-sess') ? hash(`${account}:${nonce}:${cnonce}`) : account
      const respond = (method: string): string =>
        hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${hash(`${method}:${uri}`)}`)
      const isRight =
        algorithms.includes(algorithm) &&
        given['opaque'] === 'o-1' &&
        given['qop'] === 'auth' &&
        cnonce.length >= 32 &&
        nameIn(given, realm, hash) === username &&
        given['response'] === respond(request.method)
      if (!isRight) return refuse(connection)
      const isOld =
        state === undefined ||
        performance.now() - state.born > lifetime ||
        state.counts.size >= uses ||
        (isBound && state.connection !== connection)
      if (isOld) return refuse(connection, !isBound)
      if (state.counts.has(nc)) repeated.push(`${nonce} ${nc}`)
      state.counts.add(nc)
      if (options.isSilent === true) return {headers: {}}
      const next = options.rotates === true ? `, nextnonce="${issue(connection)}"` : ''
      return {
        headers: {
          'authentication-info': `rspauth="${respond('')}", cnonce="${cnonce}", nc=${nc}, qop=auth${next}`,
        },
      }
    },
  }

  function nameIn(
    given: Readonly<Record<string, string>>,
    space: string,
    hash: (text: string) => string,
  ): string | undefined {
    const extended = given['username*']
    if (extended !== undefined) return decodeURIComponent(extended.replace(/^UTF-8''/, ''))
    const name = Buffer.from(given['username'] ?? '', 'latin1').toString()
    if (given['userhash'] !== 'true') return name
    return name === hash(`${username}:${space}`) ? username : undefined
  }
}

/** Puts a gate before every answer of a server. */
export function guard(
  server: Pick<FaultServer, 'script'>,
  options: GateOptions = {},
  answer: Answer = {status: 204},
): Gate {
  const gate = makeGate(options)
  server.script((request) => {
    const admission = gate.admit(request)
    if ('refusal' in admission) return admission.refusal
    return {...answer, headers: {...answer.headers, ...admission.headers}}
  })
  return gate
}

/**
 * Answers as Cyrus 3.6, which keeps one exchange of Digest for each connection. The nonce beside an offer of Basic is never taken,
 * and no answer says that a nonce is stale. After a success a request without credentials gets a bare challenge, and Digest after
 * that an error.
 */
export function actAsCyrus(server: Pick<FaultServer, 'script'>, password = 'secret'): void {
  type State =
    | {readonly kind: 'none' | 'done' | 'bare'}
    | {readonly kind: 'live'; readonly nonce: string}
  const states = new Map<number, State>()
  const hash = hashOf('MD5-sess')
  const isRight = (request: SeenRequest, nonce: string): boolean => {
    const given = fieldsOf(request.headers.authorization ?? '')
    const {nc = '', cnonce = ''} = given
    const secret = hash(`${hash(`ana:files:${password}`)}:${nonce}:${cnonce}`)
    const asked = hash(`${request.method}:${request.url}`)
    const response = hash(`${secret}:${nonce}:${nc}:${cnonce}:auth:${asked}`)
    return given['nonce'] === nonce && nc === '00000001' && given['response'] === response
  }
  server.script((request) => {
    const {connection, method} = request
    // It checks no credentials of a method that it does not know.
    if (method === 'UNLOCK') return {status: 405}
    const state = states.get(connection) ?? {kind: 'none'}
    const isDigest = request.headers.authorization?.startsWith('Digest ') === true
    const refuse = (next: State, ...challenges: string[]): Answer => {
      states.set(connection, next)
      return {status: 401, headers: {'www-authenticate': challenges}, body: 'No.'}
    }
    const nonce = randomBytes(12).toString('base64')
    const offer = `Digest realm="files", nonce="${nonce}", algorithm=md5-sess, qop="auth"`
    if (state.kind === 'live' && isDigest && isRight(request, state.nonce)) {
      states.set(connection, {kind: 'done'})
      return {status: /^\/[\da-f]{32}$/.test(request.url) ? 404 : 204}
    }
    if (state.kind === 'done' && !isDigest) return refuse({kind: 'bare'}, 'Digest')
    if (state.kind === 'bare' && isDigest) {
      states.set(connection, {kind: 'none'})
      return {status: 500}
    }
    if (isDigest && state.kind !== 'live') return refuse({kind: 'live', nonce}, offer)
    return refuse({kind: 'none'}, offer, 'Basic realm="files"')
  })
}

/** Reads the fields of a Digest header. */
export function fieldsOf(header: string): Record<string, string> {
  const fields: Record<string, string> = {}
  const pattern = /([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g
  for (const [, name = '', quoted, bare = ''] of header.replace(/^Digest /, '').matchAll(pattern))
    fields[name] = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1')
  return fields
}
