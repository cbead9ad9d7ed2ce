/**
 * Reads the options of a call. An unknown name or a value of the wrong type is a TypeError before anything is sent: a misspelt
 * condition must not delete unconditionally. The callers check the ranges of numbers.
 */

import {MAX_MISTAKES} from './bounds.ts'
import {visible} from './errors.ts'
import {isObject, isWholeNumber, namesOf, tagOf} from './members.ts'

/** The rule for the values of an option. */
export interface Rule {
  /** Completes the sentence "the option is …". */
  readonly words: string
  /** Accepts a value that is not `undefined`. */
  accepts(value: unknown): boolean
}

/** A rule for each option of a call. The compiler refuses a table that lacks one. */
export type Rules<Options> = {readonly [Name in keyof Options]-?: Rule}

/** Any value: another function checks it. */
export const ANY: Rule = {words: 'any value', accepts: () => true}

export const BOOLEAN: Rule = /* @__PURE__ */ ofType('boolean', 'true or false')
export const NUMBER: Rule = /* @__PURE__ */ ofType('number', 'a number')
export const TEXT: Rule = /* @__PURE__ */ ofType('string', 'a string')

export const TEXTS: Rule = {words: 'an array of strings', accepts: isTexts}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

export const RECORD: Rule = {words: 'an object with members by name', accepts: isRecord}

/** An AbortSignal of any realm. */
export const SIGNAL: Rule = {
  words: 'an AbortSignal',
  accepts: (value) => tagOf(value) === '[object AbortSignal]',
}

/**
 * Checks an option that counts things.
 *
 * @throws RangeError for a number that is not whole or not above zero.
 */
export function assertCount(name: string, value = 1): void {
  if (!isWholeNumber(value, 1))
    throw new RangeError(`${name} is a whole number above zero, not ${visible(String(value), 100)}`)
}

/**
 * Checks a time limit.
 *
 * @throws RangeError for a number that is not above zero.
 */
export function assertTimeLimit(name: string, value: number): void {
  if (!(value > 0))
    throw new RangeError(`${name} is a number of milliseconds above zero, or Infinity`)
}

/** A function of a value such as `the progress`. */
export function callback(parameter: string): Rule {
  return ofType('function', `a function of ${parameter}`)
}

function ofType(type: string, words: string): Rule {
  return {words, accepts: (value) => typeof value === type}
}

/** One of a few strings. */
export function oneOf(...values: readonly string[]): Rule {
  return {
    words: values.map((value) => `'${value}'`).join(' or '),
    accepts: (value) => typeof value === 'string' && values.includes(value),
  }
}

/**
 * Reads options into a plain object. Inherited options, as of a class, become own members. Members that are `undefined` are left
 * out.
 *
 * @param call - The name of the call, which begins each message.
 * @throws TypeError for a value that is no object, for an unknown name, and for a value of the wrong type.
 */
export function readOptions<Options extends object>(
  call: string,
  given: Options,
  rules: Rules<Options>,
): Options {
  if (!isRecord(given)) {
    throw new TypeError(`${call}: give an object with ${Object.keys(rules).join(', ')}`)
  }
  const read: [string, unknown][] = []
  for (const name of namesOf(given)) {
    if (!hasRule(name, rules)) throw unknownOption(call, name, Object.keys(rules))
    const value = given[name]
    // Undefined members are left out, because a spread of defaults and options would replace a default by one.
    if (value === undefined) continue
    const rule = rules[name]
    if (!rule.accepts(value)) throw new TypeError(`${call}: ${name} is ${rule.words}`)
    read.push([name, value])
  }
  return Object.fromEntries(read) as Options
}

/**
 * Checks the members of an object of unknown origin, such as a state in a file. Only the optional member may be absent.
 *
 * @throws TypeError
 */
export function assertMembers<T extends object>(
  name: string,
  value: T,
  rules: Rules<T>,
  optional?: keyof T,
): void {
  const read = readOptions(name, value, rules)
  const absent = Object.keys(rules).find((member) => !(member in read) && member !== optional)
  if (absent !== undefined) throw new TypeError(`${name}: ${absent} is missing`)
}

/** Reads a record into a plain object, inherited members too. Members that are `undefined` are left out. */
export function readRecord<R extends object>(record: R): Present<R> {
  const entries = [...namesOf(record)].map((name) => [name, Reflect.get(record, name)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as Present<R>
}

/** A record without undefined members. */
type Present<R> = {[Name in keyof R]: Exclude<R[Name], undefined>}

/** Makes the error for an unknown name. It proposes the nearest known name, or lists all names if none is near. */
export function unknownOption(call: string, name: string, known: readonly string[]): TypeError {
  const near = nearest(name, known)
  const help = near === undefined ? `there are ${known.join(', ')}` : `the nearest is ${near}`
  return new TypeError(`${call}: there is no option ${visible(JSON.stringify(name), 100)}; ${help}`)
}

/** Finds the known name of which a name may be a misspelling, in any case of its letters. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const given = name.toLowerCase()
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const one of known) {
    const other = one.toLowerCase()
    const isPart = given.length >= 4 && (other.includes(given) || given.includes(other))
    const most = Math.min(MAX_MISTAKES, Math.ceil(Math.max(given.length, other.length) / 3))
    const mistakes = isPart && given !== other ? 1 : countMistakes(given, other, most)
    if (mistakes < least && mistakes <= most) {
      best = one
      least = mistakes
    }
  }
  return best
}

/** Counts the letters to add, drop, change or swap to make two words equal. Counts no further than one beyond `most`. */
export function countMistakes(one: string, other: string, most: number): number {
  let equal = 0
  while (equal < one.length && one[equal] === other[equal]) equal++
  const [left, right] = [one.slice(equal), other.slice(equal)]
  if (left === '' || right === '') return left.length + right.length
  if (most === 0) return 1
  const isSwapped = left[0] === right[1] && left[1] === right[0]
  const skip = (letters: number, others: number): number =>
    countMistakes(left.slice(letters), right.slice(others), most - 1)
  return 1 + Math.min(skip(1, 0), skip(0, 1), skip(1, 1), isSwapped ? skip(2, 2) : most)
}

export function isRecord(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value)
}

function hasRule<Options>(
  name: string,
  rules: Rules<Options>,
): name is Extract<keyof Options, string> {
  return Object.hasOwn(rules, name)
}
