// States, over random servers that break, ignore ranges, shorten them, lie about them or change the resource, that the content is
// the bytes of one state of the resource from the first to the last, or an error. RFC 9110, sections 13.1.5 and 14.

import {DavClient, DavError, type DavResponse, type GetOptions, type Transport} from 'multistatus'
import fc from 'fast-check'
import {expect, it} from 'vitest'

import {bytes} from '../support/fixtures.ts'

/** The habits of a server, and its deed at each request. */
interface Model {
  readonly etag: 'strong' | 'weak' | 'none'
  readonly ranges: 'kept' | 'ignored'
  readonly ifRange: 'kept' | 'ignored'
  readonly tellsLength: boolean
  readonly deeds: readonly Deed[]
}

interface Deed {
  /** The state of the resource: each has other bytes. */
  readonly state: number
  /** Bytes of the body before it breaks. */
  readonly breaks: number
  /** Bytes by which the answer is shifted against its Content-Range. */
  readonly shift: number
  /** Bytes that each chunk has. */
  readonly chunk: number
}

const LENGTH = 24
const deed = fc.record({
  state: fc.integer({min: 0, max: 1}),
  breaks: fc.oneof(fc.integer({min: 0, max: LENGTH}), fc.constant(1000)),
  shift: fc.oneof({weight: 9, arbitrary: fc.constant(0)}, {weight: 1, arbitrary: fc.constant(1)}),
  chunk: fc.integer({min: 1, max: LENGTH}),
})
const model: fc.Arbitrary<Model> = fc.record({
  etag: fc.constantFrom('strong', 'strong', 'weak', 'none'),
  ranges: fc.constantFrom('kept', 'kept', 'ignored'),
  ifRange: fc.constantFrom('kept', 'ignored'),
  tellsLength: fc.boolean(),
  deeds: fc.array(deed, {minLength: 1, maxLength: 6}),
})
const range = fc.option(
  fc
    .tuple(fc.integer({min: 0, max: LENGTH + 2}), fc.integer({min: 0, max: LENGTH + 2}))
    .map(([one, other]) => ({start: Math.min(one, other), end: Math.max(one, other)})),
  {nil: undefined},
)

/** The resource in one of its states: `a…x` or `A…X`. */
function resource(state: number): Uint8Array {
  return bytes(
    Array.from({length: LENGTH}, (_, at) =>
      String.fromCodePoint((state === 0 ? 97 : 65) + at),
    ).join(''),
  )
}

function serve({deeds, etag, ranges, ifRange, tellsLength}: Model): Transport {
  let count = 0
  return async ({headers}) => {
    const {state, breaks, shift, chunk} = deeds[Math.min(count++, deeds.length - 1)] ?? failed()
    const tag = etag === 'none' ? {} : {etag: `${etag === 'weak' ? 'W/' : ''}"${state}"`}
    const isStale = ifRange === 'kept' && (headers['if-range'] ?? tag.etag) !== tag.etag
    const asked = /^bytes=(\d+)-(\d*)$/.exec(headers['range'] ?? '')
    const whole = resource(state)
    if (asked === null || ranges === 'ignored' || isStale) {
      const length = tellsLength ? {'content-length': String(LENGTH)} : {}
      return answer(200, {...tag, ...length}, whole, breaks, chunk)
    }
    const start = Number(asked[1]) - shift
    const end = Math.min(asked[2] === '' ? LENGTH : Number(asked[2]), LENGTH - 1)
    if (start >= LENGTH || start < 0) return answer(416, {}, bytes(''), breaks, chunk)
    const told = {...tag, 'content-range': `bytes ${start}-${end}/${LENGTH}`}
    return answer(206, told, whole.subarray(start, end + 1), breaks, chunk)
  }
}

function answer(
  status: number,
  headers: Record<string, string>,
  body: Uint8Array,
  breaks: number,
  chunk: number,
): DavResponse {
  async function* send(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += chunk) {
      const piece = body.subarray(at, Math.min(at + chunk, breaks))
      if (piece.length > 0) yield piece
      if (at + chunk > breaks) throw new Error('broken')
    }
  }
  return {status, headers: new Headers(headers), body: {[Symbol.asyncIterator]: send}}
}

function failed(): never {
  throw new Error('The model has no deed')
}

const retry = {attempts: 3, minDelay: 0, maxDelay: 0}

async function read(transport: Transport, options: GetOptions): Promise<string | undefined> {
  const dav = new DavClient({url: 'https://dav.example/', transport})
  const result = await dav.get('a', options)
  if (!result.ok) return undefined
  return result.text().catch((error: unknown) => {
    if (DavError.is(error)) return undefined
    throw error
  })
}

it('is whole and of one state, or an error, whatever the server does', async () => {
  let whole = 0
  await fc.assert(
    fc.asyncProperty(model, range, fc.boolean(), async (server, asked, resume) => {
      const text = await read(serve(server), {range: asked, resume, retry})
      if (text === undefined) return
      const {start = 0, end = LENGTH} = asked ?? {}
      const states = [0, 1].map((state) =>
        Buffer.from(resource(state).subarray(start, end + 1)).toString(),
      )
      expect(states).toContain(text)
      whole++
    }),
    {numRuns: 5000, seed: 7},
  )
  expect(whole).toBeGreaterThan(1000)
})

it('is whole after a break at every byte, of a server that keeps ranges or sends all again', async () => {
  for (const ranges of ['kept', 'ignored'] as const)
    for (let breaks = 0; breaks <= LENGTH; breaks++) {
      const one = {state: 0, shift: 0, chunk: 3}
      const deeds = [
        {...one, breaks},
        {...one, breaks: 1000},
      ]
      const server = {etag: 'strong', ranges, ifRange: 'kept', tellsLength: true, deeds} as const
      expect(await read(serve(server), {resume: true, retry})).toBe('abcdefghijklmnopqrstuvwx')
    }
})
