// States that each class of error recognizes its own by name, also from a second copy of the package.

import {inspect} from 'node:util'

import {
  DavError,
  DavFailureError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  type Failure,
  MultiStatusError,
} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {PartError} from '../../src/transfer/part.ts'
import {BarredError} from '../../src/transport/barred.ts'
import {ElsewhereError, HiddenRedirectError} from '../../src/transport/redirects.ts'
import {WithheldError} from '../../src/transport/withheld.ts'

const asked = {method: 'PROPFIND', url: 'https://dav.example/a/'}
const failure: Failure = {
  ok: false,
  href: '/a/b',
  url: 'https://dav.example/a/b',
  relation: 'member',
  status: 423,
  reason: 'status',
  conditions: ['lock-token-submitted'],
  missing: [],
  request: {method: 'DELETE', url: 'https://dav.example/a/b', depth: 'infinity', attempts: 1},
}

interface Classes {
  readonly DavError: typeof DavError
  readonly DavFailureError: typeof DavFailureError
  readonly DavHttpError: typeof DavHttpError
  readonly DavNetworkError: typeof DavNetworkError
  readonly DavTimeoutError: typeof DavTimeoutError
  readonly MultiStatusError: typeof MultiStatusError
}

const own: Classes = {
  DavError,
  DavFailureError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  MultiStatusError,
}

/** The classes once more, from modules that the runner evaluates a second time. */
async function loadSecondCopy(): Promise<Classes> {
  const door = '../../src/index.ts?second-copy'
  const errors = '../../src/protocol/errors.ts?second-copy'
  const failures = '../../src/multistatus/failure-error.ts?second-copy'
  const copies = await Promise.all(
    [door, errors, failures].map((path): Promise<Partial<Classes>> => import(path)),
  )
  return Object.assign({...own}, ...copies)
}

function errorsOf(classes: Classes): readonly DavError[] {
  return [
    new classes.DavError('It failed', asked),
    new classes.DavFailureError(failure),
    new classes.DavHttpError({...asked, status: 404, conditions: []}),
    new classes.DavNetworkError('It broke', asked),
    new classes.DavTimeoutError('It took long', 'idle', asked),
    new classes.MultiStatusError('It ended early', 'truncated', 7, undefined, asked),
  ]
}

const names = Object.keys(own)

describe('is', () => {
  it.each(errorsOf(own).map((error) => [error.name, error] as const))(
    'recognizes %s in its own class and in DavError alone',
    (name, error) => {
      const recognized = Object.values(own).filter((one) => one.is(error))
      expect(recognized).toEqual([...new Set([DavError, own[name as keyof Classes]])])
    },
  )

  it('recognizes each error of a second copy, which instanceof does not', async () => {
    const second = await loadSecondCopy()
    expect(second.DavHttpError).not.toBe(DavHttpError)
    for (const error of errorsOf({...own, DavHttpError: second.DavHttpError})) {
      expect(DavError.is(error)).toBe(true)
    }
    const foreign = new second.DavHttpError({...asked, status: 404, conditions: []})
    expect(foreign).not.toBeInstanceOf(DavError)
    expect(names.filter((name) => own[name as keyof Classes].is(foreign))).toEqual([
      'DavError',
      'DavHttpError',
    ])
  })

  it('recognizes no other error and no plain object', () => {
    const others = [
      new Error('x'),
      new TypeError('x'),
      new DOMException('x', 'AbortError'),
      {name: 'DavError', message: 'x'},
      null,
      undefined,
      'DavError',
    ]
    for (const other of others)
      for (const one of Object.values(own)) expect(one.is(other)).toBe(false)
  })

  it('recognizes a subclass with a name of its own in DavError', () => {
    class QuotaError extends DavError {
      override readonly name = 'QuotaError'
    }
    expect(DavError.is(new QuotaError('x'))).toBe(true)
    expect(DavHttpError.is(new QuotaError('x'))).toBe(false)
  })

  it('filters lists without its class', () => {
    expect([new Error('x'), ...errorsOf(own)].filter(DavTimeoutError.is)).toHaveLength(1)
  })
})

describe('method and url', () => {
  it.each(errorsOf(own))('are those of the request: $name', (error) => {
    const expected =
      error instanceof DavFailureError
        ? {method: 'DELETE', url: failure.url}
        : {method: 'PROPFIND', url: asked.url}
    expect(error).toMatchObject(expected)
  })
})

describe('DavFailureError', () => {
  it('has the Failure and one sentence', () => {
    expect(new DavFailureError(failure)).toMatchObject({
      name: 'DavFailureError',
      failure,
      message: 'DELETE https://dav.example/a/b failed with status 423: lock-token-submitted',
    })
  })

  it('names the href of a Failure without a request, and the reason of one without a status', () => {
    const {request: _, ...rest} = failure
    const malformed: Failure = {
      ...rest,
      status: 0,
      reason: 'malformed',
      conditions: [],
      description: 'there is\u001b no status',
    }
    expect(new DavFailureError(malformed).message).toBe(
      '/a/b failed (malformed): there is\\u001b no status',
    )
  })

  it('does not name the request twice', () => {
    const description = `GET ${failure.url} answered 401: the client sent no credentials`
    expect(new DavFailureError({...failure, status: 401, description}).message).toBe(
      'GET https://dav.example/a/b answered 401: the client sent no credentials',
    )
  })
})

it.each([
  ['DavNetworkError', new BarredError('words', asked)],
  ['DavNetworkError', new HiddenRedirectError('words', asked)],
  ['DavError', new ElsewhereError('words', asked)],
  ['DavError', new WithheldError('words', asked)],
  ['DavError', new PartError(asked.url, 206, 'words')],
])('Node prints %s, and no name that nobody can import', (name, error) => {
  expect(error.name).toBe(name)
  expect(inspect(error)).toMatch(new RegExp(`^${name}: `))
})
