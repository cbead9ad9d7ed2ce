// The WebDAV server of the job campaign, in a process of its own, so that it outlives every kill. It keeps a tree in memory, breaks
// some exchanges by a seed, and records each DELETE: its own record is the truth that verdicts are compared with. The parent
// gets the port and the number of requests by IPC, and the record by `GET /record`.

import {createServer} from 'node:http'
import type {IncomingMessage, ServerResponse} from 'node:http'
import {setTimeout as delay} from 'node:timers/promises'

import type {JobRecord, JobServerOptions} from './job-tree.ts'
import {treeOf} from './job-tree.ts'
import {draw} from './unruly-faults.ts'

class Resource {
  readonly href: string
  readonly parent: Resource | undefined
  readonly members = new Set<Resource>()
  isThere = true
  arrivals = 0
  deleted = 0
  faults = 0
  readonly isLocked: boolean

  constructor(href: string, parent: Resource | undefined, isLocked: boolean) {
    this.href = href
    this.parent = parent
    this.isLocked = isLocked
    parent?.members.add(this)
  }

  get isCollection(): boolean {
    return this.href.endsWith('/')
  }
}

type FaultName = '423' | '503' | '503 Retry-After' | 'reset' | 'reset, done' | '504, done'

/** Upper bounds in ten thousand. */
const LOTS: readonly (readonly [number, FaultName])[] = [
  [20, '423'],
  [50, '503'],
  [51, '503 Retry-After'],
  [80, 'reset'],
  [110, 'reset, done'],
  [130, '504, done'],
]
/** Requests between two messages to the parent, which strikes by their number. */
const REPORTED = 10
/** From this DELETE of a resource on, there are no faults. */
const HONEST_FROM = 4

class JobServer {
  readonly #options: JobServerOptions
  readonly #resources = new Map<string, Resource>()
  readonly #problems: string[] = []
  #propfinds = 0
  #requests = 0

  constructor(options: JobServerOptions) {
    this.#options = options
    for (const href of treeOf(options)) {
      const end = href.slice(0, -1).lastIndexOf('/') + 1
      const isLocked = !href.endsWith('/') && draw(options.seed, href, 0).oneIn(800)
      const parent = this.#resources.get(href.slice(0, end))
      this.#resources.set(href, new Resource(href, parent, isLocked))
    }
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {method, url = ''} = request
    request.resume()
    if (++this.#requests % REPORTED === 0) process.send?.({requests: this.#requests})
    if (method === 'DELETE') await this.#delete(url, response)
    else if (method === 'PROPFIND') this.#propfind(url, request.headers['depth'] === '1', response)
    else if (url === '/record') response.end(JSON.stringify(this.#record()))
    else response.writeHead(405).end()
  }

  async #delete(href: string, response: ServerResponse): Promise<void> {
    const resource = this.#resources.get(href)
    if (resource === undefined) {
      // A target that was never there. Its arrivals are recorded too.
      const ghost = new Resource(href, undefined, false)
      ghost.isThere = false
      ghost.arrivals = 1
      this.#resources.set(href, ghost)
      response.writeHead(404).end()
      return
    }
    const number = ++resource.arrivals
    const random = draw(this.#options.seed, href, number)
    const fault = faultOf(resource, number, random.below(10_000))
    // Half of the time passes before the deed, so that a killed client may be followed by its deed. Few are very slow.
    const slow = random.oneIn(2000) ? 400 : this.#options.latency
    const [before, after] = [random.below(slow), random.below(slow)]
    if (before > 0) await delay(before)
    const status = this.#settle(resource, fault)
    if (after > 0) await delay(after)
    if (fault !== undefined) resource.faults++
    else if (status === 204) resource.deleted++
    if (fault === 'reset' || fault === 'reset, done') response.socket?.resetAndDestroy()
    else if (fault === '503 Retry-After') response.writeHead(503, {'retry-after': '1'}).end()
    else response.writeHead(status).end()
  }

  /** Does the deed, unless there is a fault before it. Returns the status of the answer. */
  #settle(resource: Resource, fault: FaultName | undefined): number {
    if (resource.isLocked) return 423
    if (fault === '423' || fault === '503') return Number(fault)
    if (fault === 'reset' || fault === '503 Retry-After') return 503
    if (!resource.isThere) return 404
    if (resource.members.size > 0) {
      this.#problems.push(`DELETE ${resource.href} while ${resource.members.size} members are left`)
      return 403
    }
    resource.isThere = false
    resource.parent?.members.delete(resource)
    return fault === '504, done' ? 504 : 204
  }

  #propfind(href: string, isDeep: boolean, response: ServerResponse): void {
    const number = ++this.#propfinds
    const resource = this.#resources.get(href)
    const random = draw(this.#options.seed, `PROPFIND ${href}`, number)
    if (resource?.isThere !== true) {
      response.writeHead(404).end()
      return
    }
    if (random.oneIn(40)) {
      response.writeHead(503).end()
      return
    }
    const listed = isDeep ? [resource, ...resource.members] : [resource]
    const body = `<D:multistatus xmlns:D="DAV:">${listed.map(formatResponse).join('')}</D:multistatus>`
    response.writeHead(207, {'content-type': 'application/xml; charset=utf-8'})
    if (random.oneIn(40)) {
      response.write(body.slice(0, random.below(body.length)), () =>
        response.socket?.resetAndDestroy(),
      )
    } else response.end(body)
  }

  #record(): JobRecord {
    const resources = [...this.#resources.values()].map(
      ({href, isThere, arrivals, deleted, faults, isLocked}) => ({
        href,
        isThere,
        arrivals,
        deleted,
        faults,
        isLocked,
      }),
    )
    return {resources, problems: this.#problems, propfinds: this.#propfinds}
  }
}

function faultOf(resource: Resource, number: number, lot: number): FaultName | undefined {
  if (resource.isLocked) return '423'
  if (number >= HONEST_FROM) return undefined
  return LOTS.find(([bound]) => lot < bound)?.[1]
}

function formatResponse({href, isCollection}: Resource): string {
  const type = isCollection
    ? '<D:resourcetype><D:collection/></D:resourcetype>'
    : '<D:resourcetype/>'
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${type}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

const [given] = process.argv.slice(2)
if (process.send !== undefined && given !== undefined) {
  const model = new JobServer(JSON.parse(given))
  const server = createServer((request, response) => {
    response.on('error', () => {})
    model.answer(request, response).catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({port: typeof address === 'object' && address !== null ? address.port : 0})
  })
  process.once('disconnect', () => process.exit())
}
