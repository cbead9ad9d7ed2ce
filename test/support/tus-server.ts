// Files behind a fault server, in memory, with TUS 1.0 as ownCloud Infinite Scale has it: POST to a collection, PATCH and HEAD of an
// upload, which is gone when it is complete. https://tus.io/protocols/resumable-upload

import {multistatusBody} from 'multistatus/testing'

import {
  type Answer,
  answer207,
  type Fault,
  type FaultServer,
  type SeenRequest,
} from './fault-server.ts'

interface Upload {
  readonly target: string
  readonly length: number
  bytes: Buffer
}

export interface TusServer {
  /** The content by path; `undefined` for a collection. */
  readonly content: Map<string, Buffer | undefined>
  readonly etags: Map<string, string>
  readonly uploads: Map<string, Upload>
  /** Answers requests before the files. `undefined` leaves a request to them. */
  fault: Fault
}

/** Scripts a server. */
export function keepTus(server: FaultServer): TusServer {
  const content = new Map<string, Buffer | undefined>([['/', undefined]])
  const etags = new Map<string, string>()
  const uploads = new Map<string, Upload>()
  let writes = 0
  const write = (path: string, bytes: Buffer): Record<string, string> => {
    content.set(path, bytes)
    const etag = `"etag-${++writes}"`
    etags.set(path, etag)
    return {etag}
  }

  const create = ({url, headers}: SeenRequest): Answer => {
    if (!content.has(url)) return {status: 409}
    const [, name = ''] = /^filename ([^,]*)/.exec(String(headers['upload-metadata'])) ?? []
    const target = url + encodeURIComponent(Buffer.from(name, 'base64').toString())
    const path = `/data/${uploads.size + 1}`
    uploads.set(path, {target, length: Number(headers['upload-length']), bytes: Buffer.alloc(0)})
    return {status: 201, headers: {location: path}}
  }

  const append = ({url, headers, bytes}: SeenRequest, upload: Upload): Answer => {
    if (headers['content-type'] !== 'application/offset+octet-stream') return {status: 415}
    if (headers['upload-offset'] !== String(upload.bytes.length)) return {status: 409}
    upload.bytes = Buffer.concat([upload.bytes, bytes])
    const offset = {'upload-offset': String(upload.bytes.length)}
    if (upload.bytes.length < upload.length) return {status: 204, headers: offset}
    uploads.delete(url)
    return {status: 204, headers: {...offset, ...write(upload.target, upload.bytes)}}
  }

  const respond = (request: SeenRequest): Answer => {
    const {method, url, headers, bytes} = request
    const upload = uploads.get(url)
    if (/^(?:POST|HEAD|PATCH)$/.test(method)) {
      if (headers['tus-resumable'] !== '1.0.0') return {status: 412}
      if (method === 'POST') return create(request)
      if (upload === undefined) return {status: 404}
      if (method === 'PATCH') return append(request, upload)
      return {status: 200, headers: {'upload-offset': String(upload.bytes.length)}}
    }
    if (method === 'OPTIONS') return {status: 200, headers: {'tus-resumable': '1.0.0'}}
    const isThere = content.has(url)
    if (method === 'PROPFIND') {
      if (!isThere) return {status: 404}
      const properties = url.endsWith('/')
        ? {resourcetype: ['collection']}
        : {
            resourcetype: [],
            getcontentlength: content.get(url)?.length ?? 0,
            getetag: etags.get(url) ?? '""',
          }
      return answer207(multistatusBody([{href: url, properties}]))
    }
    if (method === 'MKCOL') {
      content.set(url, undefined)
      return {status: isThere ? 405 : 201}
    }
    return {status: isThere ? 204 : 201, headers: write(url, bytes)}
  }

  const tus: TusServer = {content, etags, uploads, fault: () => undefined}
  server.script(
    async (request) => (await tus.fault(request, () => respond(request))) ?? respond(request),
  )
  return tus
}
