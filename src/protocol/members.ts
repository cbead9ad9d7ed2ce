/** Reads members of values of unknown type. Callers may have no types, and a failure from a queue may be anything. */

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Reads a member, inherited ones too; `undefined` for a value that is no object. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined
}

/** Names the kind of a built-in object of any realm, such as `[object URL]`. Other realms have classes of their own. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value)
}

/** Recognizes a whole number that is exact, from `least` on. */
export function isWholeNumber(value: number, least = 0): boolean {
  return Number.isSafeInteger(value) && value >= least
}

/** Lists the names of all members, inherited ones too, but without those of `Object.prototype`. Options may be of a class. */
export function namesOf(object: object): readonly string[] {
  const names = Object.getOwnPropertyNames(object)
  for (let at = parentOf(object); isObject(at) && !isRoot(at); at = parentOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      // Each prototype of a class has a constructor, which is no option.
      if (name !== 'constructor' && !names.includes(name)) names.push(name)
    }
  }
  return names
}

function parentOf(object: object): unknown {
  return Object.getPrototypeOf(object)
}

/** Recognizes `Object.prototype` of any realm. */
function isRoot(object: object): boolean {
  return Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'isPrototypeOf')
}
