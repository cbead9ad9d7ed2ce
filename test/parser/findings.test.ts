// States that each body with which `npm run fuzz` found a bug keeps the rules now. The first bodies of the fuzzer are read too, and
// parsers with a planted bug show that the rules find it.

import type {Decoders, ParserOptions} from 'multistatus/parser'
import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {loadFindings, plainCase} from '../fuzz/cases.ts'
import {check} from '../fuzz/oracle.ts'
import {seeds} from '../fuzz/seeds.ts'
import {multistatus, response} from '../support/fixtures.ts'

const classes = {MultiStatusParser, MultiStatusError}
const findings = loadFindings()

describe('the findings of the fuzzer', () => {
  if (findings.length === 0) {
    it('is nothing: test/fuzz/findings is empty', () => {
      expect(findings).toEqual([])
    })
  }

  it.for(findings)('$name ($signature) breaks no rule any more', ({input}) => {
    expect(() => check(classes, input)).not.toThrow()
  })

  it('began with bodies that break no rule', () => {
    for (const input of seeds()) expect(() => check(classes, input)).not.toThrow()
  })
})

describe('the rules', () => {
  const body = multistatus(response('/docs/a', '<x:p>7</x:p>'), response('/docs/b'))
  const reading = (change: (chunk: Uint8Array | string) => Uint8Array | string) => ({
    MultiStatusError,
    MultiStatusParser: class<D extends Decoders> extends MultiStatusParser<D> {
      override write(chunk: Uint8Array | string) {
        return super.write(change(chunk))
      }
    },
  })

  it('find a parser that reads a chunk of one byte wrong', () => {
    const wrong = reading((chunk) => (chunk.length === 1 && chunk[0] === 0x37 ? '8' : chunk))
    const input = {...plainCase(body), cuts: [body.indexOf('7'), body.indexOf('7') + 1]}
    expect(() => check(wrong, input)).toThrow('chunks: results')
  })

  it('find a parser that throws an unexpected error', () => {
    const loud = reading(() => {
      throw new RangeError('too much')
    })
    expect(() => check(loud, plainCase(body))).toThrow('write threw RangeError')
  })

  it('find a parser that knows no limits', () => {
    const unlimited = {
      MultiStatusError,
      MultiStatusParser: class<D extends Decoders> extends MultiStatusParser<D> {
        constructor({limits: _limits, ...options}: ParserOptions<D> = {}) {
          super(options)
        }
      },
    }
    for (const limits of [{value: 3}, {bytes: 99}, {responses: 1, hrefs: 1}, {response: 5}])
      expect(() => check(unlimited, plainCase(body, {limits}))).toThrow('limit: ')
  })

  it('find a parser that recovers from nothing', () => {
    const strict = {
      MultiStatusError,
      MultiStatusParser: class<D extends Decoders> extends MultiStatusParser<D> {
        constructor(options: ParserOptions<D> = {}) {
          super({...options, ...(options.malformed === 'skip' && {limits: {responses: 1}})})
        }
      },
    }
    expect(() => check(strict, plainCase(body))).toThrow('recovery: ')
  })
})
