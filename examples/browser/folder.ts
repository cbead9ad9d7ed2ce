// The address of the shown folder: the part of the page's own address behind `#`, below the collection of the client.

import {decodePath, visible} from 'multistatus'

import type {Row} from './row.ts'

/** A folder: its absolute URL, and the reference that leads there from the collection of the client. */
export interface Folder {
  readonly url: string
  readonly reference: string
}

/** Reads the folder from the address of the page. Anything outside the collection is the collection itself. */
export function currentFolder(base: string): Folder {
  const asked = location.hash.slice(1)
  // `./` keeps a first segment with a colon, or two slashes, from being another origin.
  const url = URL.parse(`./${asked}`, base)
    ?.href.replace(/[?#].*$/su, '')
    .replace(/\/*$/, '/')
  return url === undefined || !url.startsWith(base)
    ? {url: base, reference: ''}
    : {url, reference: url.slice(base.length)}
}

/** Makes the link to a folder in this one. Keeps the escapes of its URL, because they name it. */
export function linkTo({url}: Row, {reference}: Folder): string {
  return `#${reference}${segmentOf(url)}/`
}

/** The last segment of a URL as it is written there. */
export function segmentOf(url: string): string {
  return /([^/]*)\/*$/.exec(new URL(url).pathname)?.[1] ?? ''
}

/** Formats the path of a URL below the collection of the client, for people. */
export function pathOf(url: string, base: string): string {
  const reference = url.startsWith(base) ? url.slice(base.length) : new URL(url).pathname
  return visible(decodePath(reference) ?? reference)
}

/** Shows the folders around the shown one as links. */
export function showPath(list: Element, {reference}: Folder, home: string): void {
  const segments = reference.split('/').slice(0, -1)
  const items = [home, ...segments].map((segment, depth) => {
    const link = document.createElement('a')
    link.href = `#${segments
      .slice(0, depth)
      .map((name) => `${name}/`)
      .join('')}`
    link.textContent = depth === 0 ? home : visible(decodePath(segment) ?? segment)
    if (depth === segments.length) link.ariaCurrent = 'page'
    const item = document.createElement('li')
    item.append(link)
    return item
  })
  list.replaceChildren(...items)
}
