// One row of the table: a member of the folder, or a file that is being uploaded, with its verdict.

import {type DavResult, isCollection, nameOf, type Success, visible} from 'multistatus'

import {reason} from './words.ts'

/** The verdict of a row. `listed` means that nothing was asked of it. */
export type Verdict = 'listed' | 'waiting' | 'sent' | 'done' | 'failed' | 'unknown'

/** One row. */
export interface Row {
  readonly url: string
  /** The name as text for people: control and bidi characters are escapes. */
  readonly name: string
  readonly isFolder: boolean
  readonly bytes?: number | undefined
  readonly changed?: Date | undefined
  /** The result of the listing; absent for an upload and for a member that could not be listed. */
  readonly result?: Success
  verdict: Verdict
  /** Explains the verdict; empty for `listed`. */
  words: string
  /** True if the resource is not here any more. */
  isGone?: boolean
}

/** Makes the row of a listed member. */
export function listedRow(listed: DavResult): Row {
  const {url} = listed
  const name = visible(nameOf(listed)) || visible(listed.href)
  if (!listed.ok) {
    const words = reason(listed)
    return {url, name, isFolder: false, verdict: 'failed', words: `not listed: ${words}`}
  }
  const {getcontentlength: bytes, getlastmodified: changed} = listed.properties
  const isFolder = isCollection(listed) === true
  const facts = {url, name, isFolder, bytes: isFolder ? undefined : bytes, changed}
  return {...facts, result: listed, verdict: 'listed', words: ''}
}

/** Makes the row of a file that waits for its upload. */
export function uploadRow(url: string, file: File): Row {
  const changed = new Date(file.lastModified)
  const facts = {url, name: visible(file.name), isFolder: false, bytes: file.size, changed}
  return {...facts, verdict: 'waiting', words: 'waiting'}
}

/** Tells if a row can be selected: it was listed, it is still there, and nothing is under way. */
export function isSelectable({result, verdict, isGone}: Row): boolean {
  return result !== undefined && isGone !== true && verdict !== 'waiting' && verdict !== 'sent'
}
