/** Dead properties as a server has them, read without the client. */
import {type ReferenceElement, readTree} from '../../support/reference-tree.ts'
import {send} from './http.ts'

/** Reads named properties of a resource. A missing one is left out. The names are in Clark notation. */
export async function readProperties(
  url: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, ReferenceElement>> {
  const asked = names.map((name) => {
    const [, namespace = '', local = ''] = /^\{(.*)\}(.*)$/.exec(name) ?? []
    return `<${local} xmlns="${namespace}"/>`
  })
  const body = `<?xml version="1.0" encoding="utf-8"?>
<D:propfind xmlns:D="DAV:"><D:prop>${asked.join('')}</D:prop></D:propfind>`
  const headers = {depth: '0', 'content-type': 'application/xml; charset=utf-8'}
  const answer = await send(url, {method: 'PROPFIND', headers, body})
  const {root, fault} = readTree(Buffer.from(answer.text))
  if (answer.status !== 207 || root === undefined || fault !== undefined)
    throw new Error(`PROPFIND ${url} answered ${answer.status}: ${fault}: ${answer.text}`)
  return new Map(
    below(root, 'response')
      .flatMap((response) => below(response, 'propstat'))
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

function isSuccess({children}: ReferenceElement): boolean {
  return /^HTTP\/1\.1 200\b/.test(children.find((child) => typeof child === 'string') ?? '')
}
