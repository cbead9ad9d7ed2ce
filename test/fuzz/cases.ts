// One input of the fuzzer: a body, the edges of its chunks, and the options it is read with. All of it is data, so that a
// finding can be saved and replayed; whatever is read from a case depends on nothing else.

import {existsSync, readdirSync, readFileSync} from 'node:fs'

import type {Limits} from 'multistatus/parser'

/** The options of a parser that are plain data. */
export interface CaseOptions {
  readonly malformed: 'throw' | 'skip'
  readonly method: string
  readonly url: string
  readonly encoding?: string
  readonly limits?: Partial<Limits>
  /** Some properties have decoders of the user's, which refuse, throw or promise. */
  readonly hasDecoders?: boolean
}

/** A body, its options and its cuts. */
export interface FuzzCase {
  readonly body: Uint8Array
  readonly options: CaseOptions
  /** The cuts of the body for one of the readings, in order. The same place twice makes an empty chunk. */
  readonly cuts: readonly number[]
  /** The length of the chunks of another reading. */
  readonly step: number
}

/** A case that broke a rule of the oracle. */
export interface Finding {
  readonly name: string
  readonly input: FuzzCase
  /** The rule, with the mark of this breach of it. */
  readonly signature: string
}

// Vite takes a literal inside of `new URL` for the name of a file.
const FOLDER = 'findings/'
/** The folder of the findings. */
export const FINDINGS: URL = new URL(FOLDER, import.meta.url)

/** A case with nothing special about it. */
export function plainCase(body: string | Uint8Array, options: Partial<CaseOptions> = {}): FuzzCase {
  return {
    body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    options: {malformed: 'throw', method: 'PROPFIND', url: 'http://localhost/docs/', ...options},
    cuts: [],
    step: 1,
  }
}

/** The findings that were saved, by name. */
export function loadFindings(folder: URL = FINDINGS): Finding[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.bin'))
    .toSorted()
    .map((file) => loadFinding(new URL(file, folder)))
}

/** One of them, by the address of its body. */
export function loadFinding(address: URL): Finding {
  const {signature, ...rest} = JSON.parse(
    readFileSync(new URL(address.href.replace(/bin$/, 'facts')), 'utf8'),
  )
  const name = address.pathname.slice(address.pathname.lastIndexOf('/') + 1, -'.bin'.length)
  return {name, signature, input: {...rest, body: new Uint8Array(readFileSync(address))}}
}
