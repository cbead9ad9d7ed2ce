/**
 * A group of things under way, such as calls. A list, because V8 keeps the old tables of a Set, with all that they held, until it
 * collects all garbage.
 */

/** Members in no order. */
export class Group<T> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: T): void {
    this.#members.push(member)
  }

  /** Removes a member. Does nothing for one that was removed before. */
  delete(member: T): void {
    const index = this.#members.indexOf(member)
    const last = index === -1 ? undefined : this.#members.pop()
    if (last !== undefined && last !== member) this.#members[index] = last
  }

  /** Lists the members of this moment. */
  all(): readonly T[] {
    return Array.from(this.#members)
  }
}
