// Nextcloud's files and its chunked upload v2 behind a fault server, in memory. It takes no request without the Destination and the
// length of the whole, puts chunks together in the order of their names, and removes them then. A test may answer first.
// docs.nextcloud.com, developer manual, WebDAV, chunked upload.

import {multistatusBody} from 'multistatus/testing'

import {
  type Answer,
  answer207,
  type Fault,
  type FaultServer,
  RESET,
  type SeenRequest,
} from './fault-server.ts'

export const FILES = '/remote.php/dav/files/ana/'
export const UPLOADS = '/remote.php/dav/uploads/ana/'

export interface Nextcloud {
  /** The content by path; `undefined` for a collection. */
  readonly content: Map<string, Buffer | undefined>
  readonly etags: Map<string, string>
  /** Answers requests before the files. `undefined` leaves a request to them. */
  fault: Fault
  /** Puts chunks together, as a MOVE would. */
  assemble(folder: string, destination: string): void
}

/** Scripts a server. */
export function keepNextcloud(server: FaultServer): Nextcloud {
  const content = new Map<string, Buffer | undefined>([
    [FILES, undefined],
    [UPLOADS, undefined],
  ])
  const etags = new Map<string, string>()
  let writes = 0
  const write = (path: string, bytes: Buffer): void => {
    content.set(path, bytes)
    etags.set(path, `"etag-${++writes}"`)
  }
  const below = (folder: string): string[] =>
    [...content.keys()].filter((path) => path.startsWith(folder) && path !== folder).toSorted()
  const remove = (path: string): void => {
    for (const one of path.endsWith('/') ? below(path) : []) content.delete(one)
    content.delete(path)
  }
  const assemble = (folder: string, destination: string): void => {
    write(destination, Buffer.concat(below(folder).flatMap((path) => content.get(path) ?? [])))
    remove(folder)
  }

  const move = ({url, headers}: SeenRequest): Answer => {
    const folder = url.replace(/\.file$/, '')
    const {pathname} = new URL(String(headers['destination']))
    const isThere = content.has(pathname)
    const [, listed] = /\[(".*")\]/.exec(String(headers['if'])) ?? []
    if (listed !== undefined && etags.get(pathname) !== listed) return {status: 412}
    if (!content.has(folder)) return {status: 404}
    if (!content.has(pathname.replace(/[^/]*$/, ''))) return {status: 409}
    if (isThere && headers['overwrite'] === 'F') return {status: 412}
    const total = below(folder).reduce((sum, path) => sum + (content.get(path)?.length ?? 0), 0)
    if (headers['oc-total-length'] !== String(total)) return {status: 400}
    assemble(folder, pathname)
    return {status: isThere ? 204 : 201, headers: {etag: etags.get(pathname) ?? ''}}
  }

  const list = ({url, headers}: SeenRequest): Answer => {
    if (!content.has(url)) return {status: 404}
    const listed = [url, ...(headers['depth'] === '1' ? [...below(url), `${url}.file`] : [])]
    const responses = listed.map((href) => {
      const bytes = content.get(href)
      return href.endsWith('/')
        ? {href, properties: {resourcetype: ['collection']}}
        : {
            href,
            properties: {
              resourcetype: [],
              getcontentlength: bytes?.length ?? 0,
              getetag: etags.get(href) ?? '""',
            },
          }
    })
    return answer207(multistatusBody(responses))
  }

  const respond = (request: SeenRequest): Answer => {
    const {method, url, headers, bytes} = request
    if (method === 'PROPFIND') return list(request)
    if (method === 'DELETE') {
      if (!content.has(url)) return {status: 404}
      remove(url)
      return {status: 204}
    }
    const isUpload = url.startsWith(UPLOADS)
    if (isUpload && headers['destination'] === undefined) return {status: 400}
    if (method === 'MOVE') return move(request)
    const parent = url.replace(/[^/]*\/?$/, '')
    if (!content.has(parent)) return {status: 409}
    if (method === 'MKCOL') {
      if (content.has(url)) return {status: 405}
      content.set(url, undefined)
      return {status: 201}
    }
    const isThere = content.has(url)
    write(url, bytes)
    return {status: isThere ? 204 : 201, headers: {etag: etags.get(url) ?? ''}}
  }

  const cloud: Nextcloud = {content, etags, fault: () => undefined, assemble}
  server.script(
    async (request) => (await cloud.fault(request, () => respond(request))) ?? respond(request),
  )
  return cloud
}

/** Adds Login flow v2. Of the polls, one comes before the user has signed in, one breaks, and one finds a server that restarts. */
export function keepLogin(server: FaultServer, cloud: Nextcloud, appPassword: string): void {
  const token = 'poll-token'
  const granted = {server: server.url.slice(0, -1), loginName: 'ana', appPassword}
  const json = (value: unknown): Answer => ({status: 200, body: JSON.stringify(value)})
  const polls: (Answer | typeof RESET)[] = [{status: 404}, RESET, {status: 503}, json(granted)]
  const wanted = `Basic ${Buffer.from(`ana:${appPassword}`).toString('base64')}`
  cloud.fault = ({method, url, body, headers}) => {
    if (url === '/index.php/login/v2' && method === 'POST') {
      const poll = {token, endpoint: `${server.url}login/v2/poll`}
      return json({poll, login: `${server.url}login/v2/flow/1`})
    }
    // The password is told once.
    if (url === '/login/v2/poll' && method === 'POST' && body === `token=${token}`)
      return polls.shift() ?? {status: 404}
    return headers.authorization === wanted ? undefined : {status: 401}
  }
}
