// States the delay before a request is sent again, without a clock: doubling bounds, chance between them, and Retry-After
// before our own delay. RFC 9110, section 10.2.3.

import fc from 'fast-check'
import {isRetryable} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {delayAfter, resolvePolicy} from '../../src/retry/policy.ts'

describe('a policy', () => {
  it('has a default for every member', () => {
    expect(resolvePolicy()).toEqual({
      attempts: 4,
      minDelay: 500,
      maxDelay: 30_000,
      maxRetryAfter: 300_000,
      budget: Number.POSITIVE_INFINITY,
      maxElapsed: Number.POSITIVE_INFINITY,
      retryable: isRetryable,
    })
  })

  it('has the given settings', () => {
    const retryable = (): boolean => true
    const onRetry = (): void => {}
    const numbers = {attempts: 1, minDelay: 0, maxDelay: 0, maxRetryAfter: 0, budget: 0}
    const given = {...numbers, maxElapsed: 0, retryable, onRetry}
    expect(resolvePolicy(given)).toEqual(given)
  })

  it('takes undefined for a setting that is left out', () => {
    expect(resolvePolicy({attempts: undefined, minDelay: undefined})).toEqual(resolvePolicy())
  })

  it('may have a minDelay above the default maxDelay', () => {
    expect(() => resolvePolicy({minDelay: 60_000, maxDelay: 60_000})).not.toThrow()
  })

  it.each([
    {attempts: 0},
    {attempts: -1},
    {attempts: 1.5},
    {attempts: Number.NaN},
    {attempts: Number.POSITIVE_INFINITY},
    {minDelay: -1},
    {minDelay: Number.NaN},
    {maxDelay: -1},
    {maxDelay: 499},
    {maxDelay: Number.NaN},
    {minDelay: 100, maxDelay: 99},
    {maxRetryAfter: -1},
    {maxRetryAfter: Number.NaN},
    {budget: -1},
    {budget: 1.5},
    {budget: Number.NaN},
    {maxElapsed: -1},
    {maxElapsed: Number.NaN},
  ])('is a RangeError that begins with retry: %o', (given) => {
    expect(() => resolvePolicy(given)).toThrow(RangeError)
    expect(() => resolvePolicy(given)).toThrow(/^retry: /)
  })
})

describe('delayAfter', () => {
  const policy = resolvePolicy({attempts: 9, minDelay: 100, maxDelay: 1000, maxRetryAfter: 5000})

  it.each([
    [1, 0, 100],
    [1, 1, 200],
    [1, 0.5, 150],
    [2, 0, 100],
    [2, 1, 400],
    [2, 0.5, 250],
    [3, 1, 800],
    [4, 1, 1000],
    [60, 1, 1000],
    [60, 0, 100],
    [5000, 1, 1000],
  ])('after attempt %i with chance %f is %f', (attempt, chance, delay) => {
    expect(delayAfter(policy, attempt, undefined, chance)).toBe(delay)
  })

  it.each([
    [0, 0],
    [1, 1],
    [4999, 4999],
    [5000, 5000],
  ])('is Retry-After, shorter and longer than our own: %i', (retryAfter, delay) => {
    expect(delayAfter(policy, 1, retryAfter, 0.5)).toBe(delay)
  })

  it.each([5001, 86_400_000, Number.POSITIVE_INFINITY])(
    'is cut to maxRetryAfter if the server asks for more: %d',
    (retryAfter) => {
      expect(delayAfter(policy, 1, retryAfter, 0.5)).toBe(5000)
    },
  )

  it('is a TypeError if onRetry is no function', () => {
    // @ts-expect-error -- a caller without types may write it
    expect(() => resolvePolicy({onRetry: 'log'})).toThrow(TypeError)
  })

  it('is always between minDelay and maxDelay', () => {
    const numbers = fc.tuple(
      fc.nat(100_000),
      fc.nat(100_000),
      fc.integer({min: 1, max: 5000}),
      fc.double({min: 0, max: 1, noNaN: true}),
    )
    fc.assert(
      fc.property(numbers, ([minDelay, more, attempt, chance]) => {
        const maxDelay = minDelay + more
        const delay = delayAfter(resolvePolicy({minDelay, maxDelay}), attempt, undefined, chance)
        expect(delay).toBeGreaterThanOrEqual(minDelay)
        expect(delay).toBeLessThanOrEqual(maxDelay)
      }),
    )
  })
})
