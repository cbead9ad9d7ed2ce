// The contenders of the bench, each as its user would call it, each imported only if it is measured. Streaming ones get chunks of
// bytes. Contenders that take a text get it decoded, which is in their favour, and hold it and all results.

import {pathToFileURL} from 'node:url'

import type {DavResult, MultiStatusParser, ParserOptions} from 'multistatus/parser'

import {BLOCK, chunksOf} from './body.ts'
import type {Body} from './body.ts'

/** One body, as a contender is given it. */
export interface Task {
  readonly body: Body
  readonly blocks: number
}

/** Reads the whole body once. Returns the number of responses or, for the floor, of characters. */
type Read = () => number | Promise<number>

export interface Contender {
  readonly title: string
  /** Takes a text at once and keeps everything: it is given a shorter body of the same responses. */
  readonly isWhole?: boolean
  /** Imports its packages and gets ready to read. */
  readonly open: (task: Task) => Promise<Read>
  /** Reads once and returns the number of properties, if that can be compared. */
  readonly countProperties?: (task: Task) => Promise<number>
}

/** The `parser.js` of another build, to be measured beside this one. */
const {BEFORE} = process.env

/** A build of this package by its parser. */
function parserOf(
  title: string,
  load: () => Promise<{readonly MultiStatusParser: typeof MultiStatusParser}>,
): Contender {
  return {
    title,
    open: async (task) => {
      const {MultiStatusParser: Parser} = await load()
      return () => {
        const parser = new Parser(optionsFor(task))
        let results = 0
        for (const chunk of chunksOf(task.body, task.blocks)) results += parser.write(chunk).length
        parser.end()
        return results
      }
    },
    countProperties: async (task) => {
      const {MultiStatusParser: Parser} = await load()
      const parser = new Parser(optionsFor(task))
      let properties = 0
      for (const chunk of chunksOf(task.body, task.blocks))
        for (const result of parser.write(chunk)) properties += propertiesOf(result)
      parser.end()
      return properties
    },
  }
}

export const CONTENDERS: Readonly<Record<string, Contender>> = {
  ours: parserOf('MultiStatusParser, typed results', () => import('multistatus/parser')),
  // Another build of this package, such as the one before a change.
  ...(BEFORE !== undefined && {
    before: parserOf('the same of the other build', () => import(pathToFileURL(BEFORE).href)),
  }),
  iterate: {
    title: 'for await, parseMultiStatus(chunks)',
    open: async (task) => {
      const {parseMultiStatus} = await import('multistatus/parser')
      return () =>
        countResults(parseMultiStatus(chunksOf(task.body, task.blocks), optionsFor(task)))
    },
  },
  response: {
    title: 'for await, parseMultiStatus(Response)',
    open: async (task) => {
      const {parseMultiStatus} = await import('multistatus/parser')
      return () => {
        const chunks = chunksOf(task.body, task.blocks)
        const stream = new ReadableStream<Uint8Array>({
          pull: (controller) => {
            const {done, value} = chunks.next()
            if (done === true) controller.close()
            else controller.enqueue(value)
          },
        })
        return countResults(parseMultiStatus(new Response(stream), optionsFor(task)))
      }
    },
  },
  neon: {
    title: 'neon 0.32 in C, 207 and properties',
    open: () => Promise.reject(new Error('neon is a program of its own: see neon.ts')),
  },
  saxes: {
    title: 'saxes 6, events only',
    open: async (task) => {
      const {SaxesParser} = await import('saxes')
      return () => {
        const parser = new SaxesParser({xmlns: true})
        let responses = 0
        let characters = 0
        parser.on('opentag', ({local}) => {
          if (local === 'response') responses++
        })
        parser.on('text', (text) => {
          characters += text.length
        })
        parser.on('closetag', () => {
          characters++
        })
        const decoder = new TextDecoder()
        for (const chunk of chunksOf(task.body, task.blocks))
          parser.write(decoder.decode(chunk, {stream: true}))
        parser.close()
        return characters === 0 ? 0 : responses
      }
    },
  },
  fxp: {
    title: 'fast-xml-parser 5.12, a tree',
    isWhole: true,
    open: async (task) => {
      const {XMLParser} = await import('fast-xml-parser')
      const text = textOf(task)
      return () => {
        const parser = new XMLParser({ignoreAttributes: false, removeNSPrefix: true})
        return parser.parse(text).multistatus.response.length
      }
    },
  },
  webdav: {
    title: 'webdav 5.11, parseXML',
    isWhole: true,
    open: async (task) => {
      const {parseXML} = await import('webdav')
      const text = textOf(task)
      return async () => (await parseXML(text)).multistatus.response.length
    },
  },
  tsdav: {
    // It does not export its reading of a 207, which is inside of davRequest. So its fetch answers at once
    // with the text. There is no request body to make.
    title: 'tsdav 2.3, davRequest',
    isWhole: true,
    open: async (task) => {
      const {davRequest} = await import('tsdav')
      const text = textOf(task)
      const {url, method} = task.body
      const fetch = async (): Promise<Response> => {
        const headers = {'content-type': 'application/xml; charset=utf-8'}
        const response = new Response(null, {status: 207, headers})
        response.text = async () => text
        return response
      }
      return async () => {
        const responses = await davRequest({
          url,
          init: {method, headers: {}, body: undefined},
          fetch,
        })
        return responses.length
      }
    },
  },
  decoder: {
    title: 'TextDecoder alone, the floor',
    open: async (task) => () => {
      const decoder = new TextDecoder()
      let characters = 0
      for (const chunk of chunksOf(task.body, task.blocks))
        characters += decoder.decode(chunk, {stream: true}).length
      // It knows no responses: it only has to read to the end.
      return characters + decoder.decode().length > 0 ? task.blocks * BLOCK : 0
    },
  },
}

function optionsFor({body: {url, method}}: Task): ParserOptions {
  return {url, method}
}

function propertiesOf(result: DavResult): number {
  const found = result.ok ? Object.keys(result.properties).length : 0
  return found + result.missing.length
}

async function countResults(results: AsyncIterable<DavResult>): Promise<number> {
  let count = 0
  for await (const {href} of results) if (href !== '') count++
  return count
}

function textOf({body, blocks}: Task): string {
  return new TextDecoder().decode(Buffer.concat([...chunksOf(body, blocks)]))
}
