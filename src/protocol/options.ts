/**
 * Reads the options of a call. An unknown name or a value of the wrong type is a TypeError before anything is sent: a misspelt
 * condition must not delete unconditionally. The callers check the ranges of numbers.
 */

import {OPTION_NAME_CHARACTERS} from './bounds.ts'
import {visible} from './errors.ts'
import {isObject, namesOf} from './members.ts'

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

export const TEXTS: Rule = {
  words: 'an array of strings',
  accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
}

export const RECORD: Rule = {words: 'an object with members by name', accepts: isRecord}

/** An AbortSignal of any realm. */
export const SIGNAL: Rule = {
  words: 'an AbortSignal',
  accepts: (value) => Object.prototype.toString.call(value) === '[object AbortSignal]',
}

/** A function, described by a phrase such as `a function of the progress`. */
export function callback(words: string): Rule {
  return ofType('function', words)
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
  const read: Partial<Options> = {}
  for (const name of namesOf(given)) {
    if (!hasRule(name, rules)) throw unknownOption(call, name, Object.keys(rules))
    const value = given[name]
    if (value === undefined) continue
    const rule = rules[name]
    if (!rule.accepts(value)) throw new TypeError(`${call}: ${name} is ${rule.words}`)
    read[name] = value
  }
  const plain = Object.assign({}, given, read)
  // Left out, because a spread of defaults and options would replace a default by undefined.
  for (const name of Object.keys(plain)) if (!(name in read)) Reflect.deleteProperty(plain, name)
  return plain
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
export function readRecord<Value>(
  record: Readonly<Record<string, Value>>,
): Record<string, Exclude<Value, undefined>> {
  const entries: [string, Exclude<Value, undefined>][] = []
  for (const name of namesOf(record)) {
    const value = record[name]
    if (isDefined(value)) entries.push([name, value])
  }
  return Object.fromEntries(entries)
}

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
    const isPart =
      given.length >= 4 &&
      given.length <= OPTION_NAME_CHARACTERS &&
      (other.includes(given) || given.includes(other))
    const distance = isPart && given !== other ? 1 : editDistance(given, other)
    if (distance < least && distance <= Math.ceil(Math.max(given.length, other.length) / 3)) {
      best = one
      least = distance
    }
  }
  return best
}

/** Counts the letters to add, drop, change or swap to make two words equal, ignoring case. Very long words count as far apart. */
export function editDistance(one: string, other: string): number {
  const from = one.toLowerCase()
  const to = other.toLowerCase()
  if (from.length > OPTION_NAME_CHARACTERS || to.length > OPTION_NAME_CHARACTERS)
    return OPTION_NAME_CHARACTERS
  let before: number[] = []
  let above = Array.from({length: to.length + 1}, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isEqual = from[row - 1] === to[column - 1]
      const isSwapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1]
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isEqual ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = above
    above = current
  }
  return above[to.length] ?? 0
}

export function isRecord(value: unknown): value is object {
  return isObject(value) && !Array.isArray(value)
}

function isDefined<Value>(value: Value | undefined): value is Exclude<Value, undefined> {
  return value !== undefined
}

function hasRule<Options>(
  name: string,
  rules: Rules<Options>,
): name is Extract<keyof Options, string> {
  return Object.hasOwn(rules, name)
}
