/**
 * The dispatcher that an application has set for its process. Both undici and Node's `fetch` put an Agent of their own at the same
 * places. That one is not meant for anybody else. Node only.
 */

import {isDeepStrictEqual} from 'node:util'

import type {Dispatcher} from 'undici'

import {isObject, memberOf} from '../protocol/members.ts'
import {toEarlierHandler} from './earlier-handler.ts'

// undici 8 and Node 24 and later write to both places. undici 6, which is the `fetch` of Node 22, knows the first one only.
const FIRST = Symbol.for('undici.globalDispatcher.1')
const SECOND = Symbol.for('undici.globalDispatcher.2')

/** The part of a dispatcher that sends. */
export type Sender = Pick<Dispatcher, 'dispatch'>

/** Finds the dispatcher of the application, at each request anew. It may be set at any time. */
export class GlobalDispatcher {
  readonly #usesEnvironment: boolean
  #first: unknown
  #second: unknown
  #found: Sender | undefined

  /** @param usesEnvironment - True if Node itself has set a dispatcher for the proxies of the environment. */
  constructor(usesEnvironment: boolean) {
    this.#usesEnvironment = usesEnvironment
  }

  /** Returns the dispatcher of the application; `undefined` if it has set none. */
  find(): Sender | undefined {
    const [first, second]: unknown[] = [
      Reflect.get(globalThis, FIRST),
      Reflect.get(globalThis, SECOND),
    ]
    if (first === this.#first && second === this.#second) return this.#found
    this.#first = first
    this.#second = second
    this.#found = this.#choose(first, second)
    return this.#found
  }

  #choose(first: unknown, second: unknown): Sender | undefined {
    // undici 8 wraps its own for earlier versions. A later setting by undici 6 replaces that, and is found there only.
    const isEarlier = first !== second && classOf(first) !== 'Dispatcher1Wrapper'
    if (isEarlier && this.#isSet(first))
      return {dispatch: (sent, handler) => first.dispatch(sent, toEarlierHandler(handler))}
    return this.#isSet(second) ? second : undefined
  }

  #isSet(dispatcher: unknown): dispatcher is Sender {
    if (typeof memberOf(dispatcher, 'dispatch') !== 'function') return false
    // Node has a copy of undici inside, whose class is no class of any package.
    if (this.#usesEnvironment && classOf(dispatcher) === 'EnvHttpProxyAgent') return false
    return !isPlainAgent(dispatcher)
  }
}

function classOf(dispatcher: unknown): string | undefined {
  return isObject(dispatcher) ? dispatcher.constructor.name : undefined
}

// The settings of an Agent, by the descriptions of undici's symbols. `maxRedirections` is of undici 6.
const SETTINGS = new Set(['options', 'factory', 'maxRedirections'])

/** Recognizes an Agent of any copy of undici that has no options and no interceptors: it would do nothing for the application. */
function isPlainAgent(dispatcher: unknown): boolean {
  if (!isObject(dispatcher) || classOf(dispatcher) !== 'Agent') return false
  const {constructor} = dispatcher
  if (memberOf(dispatcher, 'dispatch') !== memberOf(constructor.prototype, 'dispatch')) return false
  try {
    const fresh: unknown = Reflect.construct(constructor, [])
    return isDeepStrictEqual(settingsOf(dispatcher), settingsOf(fresh))
  } catch {
    // A class of the application that happens to have the name.
    return false
  }
}

function settingsOf(dispatcher: unknown): unknown[] {
  if (!isObject(dispatcher)) return []
  return Object.getOwnPropertySymbols(dispatcher)
    .filter(({description = ''}) => SETTINGS.has(description))
    .map((symbol): unknown => Reflect.get(dispatcher, symbol))
}
