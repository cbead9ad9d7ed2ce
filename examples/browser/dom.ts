// Finds the elements of index.html, each with its type.

/** Finds the element with an id. */
export function byId<E extends Element>(id: string, kind: new () => E): E {
  return checked(document.querySelector(`#${id}`), `#${id}`, kind)
}

/** Finds the first element inside another one. */
export function within<E extends Element>(
  root: ParentNode,
  selector: string,
  kind: new () => E,
): E {
  return checked(root.querySelector(selector), selector, kind)
}

function checked<E extends Element>(found: Element | null, name: string, kind: new () => E): E {
  if (found instanceof kind) return found
  throw new Error(`index.html has no ${name}`)
}
