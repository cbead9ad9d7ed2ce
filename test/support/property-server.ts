// A model of a server with collections and dead properties, in memory. It reads the requests by saxes, keeps the order of the
// instructions, and sets all properties or none. Its faults are those of real servers. RFC 4918, sections 4, 9.1, 9.2 and 9.3.

import {multistatusBody} from 'multistatus/testing'

import {
  type Answer,
  answer207,
  type FaultServer,
  RESET,
  type SeenRequest,
  startFaultServer,
} from './fault-server.ts'
import {type ReferenceElement, readTree} from './reference-tree.ts'

/** The faults of a server. */
export interface PropertyFaults {
  /** PROPPATCH answers 200 for each property, and stores nothing: Cyrus 3.6, DAViCal 1.1, svn 1.14. */
  readonly forgets?: boolean
  /** PROPPATCH answers 204 without a body: lighttpd 1.4. */
  readonly answers204?: boolean
  /** The text of a structured value is lost: Radicale 3.1. */
  readonly flattens?: boolean
  /**
   * Answers a request instead of doing it, or does it and loses the answer. `number` counts the requests of its method, from 1.
   */
  readonly answers?: (method: string, number: number) => Answer | 'lost' | undefined
}

/** A resource, with its properties by name. */
interface Resource {
  readonly isCollection: boolean
  readonly properties: Map<string, ReferenceElement>
}

export interface PropertyServer {
  /** URL of the client's own collection. */
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** Method and path of each request. */
  readonly asked: readonly string[]
  /** The resources by path; a collection has its slash. */
  readonly resources: ReadonlyMap<string, Resource>
  /** Adds a resource. */
  add(path: string): void
  set(faults: PropertyFaults): void
  close(): Promise<void>
}

const PROTECTED: ReadonlySet<string> = new Set(['getetag', 'getcontentlength', 'lockdiscovery'])

/** Starts a server with the collection `/dav/`. */
export async function startPropertyServer(): Promise<PropertyServer> {
  const server: FaultServer = await startFaultServer()
  const resources = new Map<string, Resource>()
  let faults: PropertyFaults = {}
  const add = (path: string): void => {
    resources.set(path, {isCollection: path.endsWith('/'), properties: new Map()})
  }
  add('/')
  add('/dav/')

  const find = (path: string): [string, Resource] | undefined => {
    const name = [path, `${path}/`, path.replace(/\/$/, '')].find((one) => resources.has(one))
    const resource = name === undefined ? undefined : resources.get(name)
    return name === undefined || resource === undefined ? undefined : [name, resource]
  }

  const mkcol = ({url, body}: SeenRequest): Answer => {
    if (find(url) !== undefined) return {status: 405}
    if (body !== '') return {status: 415}
    if (resources.get(url.replace(/[^/]+\/$/, ''))?.isCollection !== true) return {status: 409}
    add(url)
    return {status: 201}
  }

  const proppatch = ({url, body}: SeenRequest): Answer => {
    const found = find(url)
    if (found === undefined) return {status: 404}
    const [href, {properties}] = found
    const {root} = readTree(new TextEncoder().encode(body))
    const instructions = elements(root).flatMap((one) =>
      elements(one).flatMap((prop) =>
        elements(prop).map((property) => ({kind: one.name, property})),
      ),
    )
    const isRefused = ({name}: ReferenceElement): boolean => PROTECTED.has(name)
    const fails = instructions.some(({property}) => isRefused(property))
    if (!fails && faults.forgets !== true) {
      for (const {kind, property} of instructions) {
        if (kind === 'remove') properties.delete(property.name)
        else properties.set(property.name, faults.flattens === true ? flat(property) : property)
      }
    }
    if (!fails && faults.answers204 === true) return {status: 204}
    const propstats = instructions.map(({property}) => ({
      properties: {[property.name]: ''},
      status: isRefused(property) ? 403 : fails ? 424 : 200,
      ...(isRefused(property) && {conditions: ['cannot-modify-protected-property']}),
    }))
    return answer207(multistatusBody([{href, propstats}]))
  }

  const propfind = ({url, body}: SeenRequest): Answer => {
    const found = find(url)
    if (found === undefined) return {status: 404}
    const [href, {isCollection, properties}] = found
    const {root} = readTree(new TextEncoder().encode(body))
    const names = elements(root).flatMap((prop) => elements(prop).map(({name}) => name))
    const types = {name: 'resourcetype', attributes: {}, isClosed: true}
    const collection = {name: 'collection', attributes: {}, children: [], isClosed: true}
    const all = new Map([
      ...properties,
      ['resourcetype', {...types, children: isCollection ? [collection] : []}],
    ])
    const there = names.flatMap((name) => all.get(name) ?? [])
    const missing = names.filter((name) => !all.has(name)).map((name) => [name, ''])
    const propstats = [
      {status: 200, properties: Object.fromEntries(there.map((one) => [one.name, one]))},
      {status: 404, properties: Object.fromEntries(missing)},
    ]
    return answer207(multistatusBody([{href, propstats}]))
  }

  const methods: Readonly<Record<string, (request: SeenRequest) => Answer>> = {
    MKCOL: mkcol,
    PROPPATCH: proppatch,
    PROPFIND: propfind,
  }
  server.script((request) => {
    const {method} = request
    const number = server.requests.filter((one) => one.method === method).length
    const fault = faults.answers?.(method, number)
    if (fault !== undefined && fault !== 'lost') return fault
    const answer = methods[method]?.(request) ?? {status: 405}
    return fault === 'lost' ? RESET : answer
  })

  return {
    url: `${server.url}dav/`,
    requests: server.requests,
    get asked() {
      return server.requests.map(({method, url}) => `${method} ${url}`)
    },
    resources,
    add,
    set(given) {
      faults = given
    },
    close: () => server.close(),
  }
}

function elements(element: ReferenceElement | undefined): ReferenceElement[] {
  return (element?.children ?? []).filter((child) => typeof child !== 'string')
}

function flat(element: ReferenceElement): ReferenceElement {
  return {...element, children: element.children.filter((child) => typeof child === 'string')}
}
