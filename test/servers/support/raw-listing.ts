/** Answers to PROPFIND, read without the client. */
import {type ReferenceElement, readTree} from '../../support/reference-tree.ts'
import {send} from './http.ts'

/** Properties by name, in Clark notation. */
type Found = ReadonlyMap<string, ReferenceElement>

interface Question {
  readonly depth: '0' | '1'
  /** Names in Clark notation. */
  readonly names: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** Reads named properties. Returns those that each resource has, by its decoded path in the order of the answer. */
async function readResources(
  url: string,
  {depth, names, headers}: Question,
): Promise<ReadonlyMap<string, Found>> {
  const asked = names.map((name) => {
    const [, namespace = '', local = ''] = /^\{(.*)\}(.*)$/.exec(name) ?? []
    return `<${local} xmlns="${namespace}"/>`
  })
  const body = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop>${asked.join('')}</D:prop></D:propfind>`
  const answer = await send(url, {
    method: 'PROPFIND',
    headers: {...headers, depth, 'content-type': 'application/xml; charset=utf-8'},
    body,
  })
  const {root, fault} = readTree(Buffer.from(answer.text))
  if (answer.status !== 207 || root === undefined || fault !== undefined)
    throw new Error(`PROPFIND ${url} answered ${answer.status}: ${fault}: ${answer.text}`)
  return new Map(
    below(root, 'response').map((response) => {
      const {pathname} = new URL(below(response, 'href').map(textOf).join(''), url)
      return [decodeURIComponent(pathname), propertiesOf(response)]
    }),
  )
}

/** Reads named properties of one resource. A missing one is left out. */
export async function readProperties(url: string, names: readonly string[]): Promise<Found> {
  const [properties = new Map()] = (await readResources(url, {depth: '0', names})).values()
  return properties
}

/** The members of a collection by name: the ETag of a file, empty without one, and `/` for a collection. */
export async function readMembers(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const names = ['{DAV:}getetag', '{DAV:}resourcetype']
  const resources = await readResources(url, {depth: '1', names, headers})
  const self = decodeURIComponent(new URL(url).pathname)
  const members = [...resources].filter(([path]) => path.replace(/\/?$/, '/') !== self)
  return new Map(
    members.map(([path, found]) => {
      const type = found.get('resourcetype')
      const isCollection = type !== undefined && below(type, 'collection').length > 0
      const etag = found.get('getetag')
      return [
        path.slice(self.length).replace(/\/$/, ''),
        isCollection ? '/' : etag === undefined ? '' : textOf(etag),
      ]
    }),
  )
}

function propertiesOf(response: ReferenceElement): Found {
  return new Map(
    below(response, 'propstat')
      .filter((propstat) => below(propstat, 'status').some(isSuccess))
      .flatMap((propstat) => below(propstat, 'prop'))
      .flatMap(({children}) => children.filter((child) => typeof child !== 'string'))
      .map((property) => [property.name, property]),
  )
}

function below({children}: ReferenceElement, name: string): readonly ReferenceElement[] {
  return children
    .filter((child) => typeof child !== 'string')
    .filter((child) => child.name === name)
}

function textOf({children}: ReferenceElement): string {
  return children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim()
}

function isSuccess(status: ReferenceElement): boolean {
  return /^HTTP\/1\.1 200\b/.test(textOf(status))
}
