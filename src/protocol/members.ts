/** Members of values of any type: callers may have no types, and a failure may come from a queue. */

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Reads a member, inherited ones too; `undefined` for a value that is no object. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined
}

/** The names of all members, without those that every object has. A class has accessors and methods in its prototype. */
export function namesOf(object: object): ReadonlySet<string> {
  const names = new Set<string>()
  for (let at: unknown = object; isObject(at) && !isRoot(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      // The prototype of a class has its class by this name.
      if (name !== 'constructor' || at === object) names.add(name)
    }
  }
  return names
}

/** Recognizes `Object.prototype` of any realm. */
function isRoot(object: object): boolean {
  return Object.getPrototypeOf(object) === null && Object.hasOwn(object, 'isPrototypeOf')
}
