// Nextcloud's files in memory, behind a fault server: each collection has a file id, and an ETag that changes with everything below.
// Conditions are obeyed, and a PUT answers with the ETag. docs.nextcloud.com, developer manual, WebDAV; RFC 9110, section 13.1.

import {multistatusBody, type MultiStatusResponse} from 'multistatus/testing'

import {type Answer, answer207, type SeenRequest} from './fault-server.ts'
import type {Side} from './mirror-process.ts'

export const CLOUD_ROOT = '/remote.php/dav/files/ana/'
const FILE_ID = '{http://owncloud.org/ns}fileid'

/** The files of a user, who may change them beside the requests. */
export class CloudFiles implements Side {
  /** Texts by path below the root. */
  readonly files: Map<string, string> = new Map()
  /** True for weak ETags, as Apache has them in the first second of a file's content. */
  isFresh = false
  readonly #folders = new Set([''])
  readonly #versions = new Map<string, number>()
  #version = 0

  read(): Promise<Map<string, string>> {
    return Promise.resolve(new Map(this.files))
  }

  create(path: string, text: string): Promise<boolean> {
    const isNew = !this.files.has(path)
    if (isNew) this.#write(path, text)
    return Promise.resolve(isNew)
  }

  change(path: string, rewrite: (text: string) => string | undefined): Promise<boolean> {
    const before = this.files.get(path)
    if (before === undefined) return Promise.resolve(false)
    const after = rewrite(before)
    if (after === undefined) this.#remove(path)
    else this.#write(path, after)
    return Promise.resolve(after !== undefined)
  }

  /** The version of a file, which makes its ETag. */
  versionOf(path: string): number {
    return this.#versions.get(path) ?? 0
  }

  /** Puts a version back, as on a server whose ETags follow from the content. */
  putBack(path: string, text: string, version: number): void {
    this.#write(path, text)
    this.#versions.set(path, version)
  }

  answer({method, url, headers, body}: SeenRequest): Answer {
    const path = decodeURIComponent(url).slice(CLOUD_ROOT.length)
    const folder = path === '' || path.endsWith('/') ? path : `${path}/`
    const text = this.files.get(path)
    const isThere = text !== undefined || this.#folders.has(folder)
    const {'if-match': ifMatch, 'if-none-match': ifNoneMatch, depth} = headers
    if (method === 'OPTIONS') return {status: 200, headers: {dav: '1, 3, nc-paginate'}}
    if (method === 'PROPFIND') {
      if (!isThere) return {status: 404}
      const below = depth === '0' || text !== undefined ? [] : this.#membersOf(folder)
      return answer207(
        multistatusBody(
          [text === undefined ? folder : path, ...below].map((one) => this.#row(one)),
        ),
      )
    }
    if (method === 'MKCOL') {
      if (isThere) return {status: 405}
      if (!this.#folders.has(parentOf(folder.slice(0, -1)))) return {status: 409}
      this.#folders.add(folder)
      this.#touch(folder)
      return {status: 201}
    }
    if (method === 'GET')
      return text === undefined
        ? {status: 404}
        : {status: 200, headers: {etag: this.#etagOf(path)}, body: text}
    if (ifMatch !== undefined && (text === undefined || ifMatch !== this.#etagOf(path)))
      return {status: 412}
    if (ifNoneMatch === '*' && isThere) return {status: 412}
    if (method === 'PUT') {
      if (!this.#folders.has(parentOf(path))) return {status: 409}
      this.#write(path, body)
      const etag = this.#etagOf(path)
      return {status: text === undefined ? 201 : 204, headers: {etag, 'oc-etag': etag}}
    }
    if (method !== 'DELETE') return {status: 405}
    if (text === undefined) return {status: 404}
    this.#remove(path)
    return {status: 204}
  }

  #membersOf(folder: string): readonly string[] {
    const isMember = (path: string): boolean =>
      path !== folder && path.startsWith(folder) && !/\/./.test(path.slice(folder.length))
    return [...this.#folders, ...this.files.keys()].filter(isMember)
  }

  #row(path: string): MultiStatusResponse {
    const href = CLOUD_ROOT + path.split('/').map(encodeURIComponent).join('/')
    const isFolder = path === '' || path.endsWith('/')
    const size = this.files.get(path)?.length
    const properties = {
      resourcetype: isFolder ? ['collection'] : [],
      getetag: (this.isFresh && !isFolder ? 'W/' : '') + this.#etagOf(path),
      [FILE_ID]: '1',
      ...(size !== undefined && {getcontentlength: size}),
    }
    return {href, properties}
  }

  #etagOf(path: string): string {
    return `"${this.versionOf(path)}"`
  }

  #write(path: string, text: string): void {
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder.slice(0, -1)))
      this.#folders.add(folder)
    this.files.set(path, text)
    this.#touch(path)
  }

  #remove(path: string): void {
    this.files.delete(path)
    this.#touch(path)
  }

  /** Gives a resource and all collections around it a new ETag. */
  #touch(path: string): void {
    const version = ++this.#version
    this.#versions.set(path, version)
    for (let folder = path; folder !== '';) {
      folder = parentOf(folder.replace(/\/$/, ''))
      this.#versions.set(folder, version)
    }
  }
}

/** Returns the path of the collection around a path, with its slash; empty for the root. */
function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
