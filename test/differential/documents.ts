// Writes 207 bodies that are well-formed, as odd as RFC 4918 and XML allow. They have any order, foreign elements,
// prefixes redeclared anywhere, references, CDATA, comments, instructions, strange white space. RFC 4918, section 14.
import type {Tape} from './tape.ts'
import {
  ATTRIBUTES,
  HREFS,
  LIVE,
  NAMES,
  NAMESPACES,
  NOISE,
  PIECES,
  PREFIXES,
  SPACES,
  STATUSES,
  VALUES,
} from './words.ts'

type Scope = ReadonlyMap<string, string>

/** Writes one body as a tape decides. */
export class BodyWriter {
  readonly #tape: Tape

  /** Nothing is written yet. */
  constructor(tape: Tape) {
    this.#tape = tape
  }

  /** The whole body. */
  body(): string {
    const tape = this.#tape
    const declaration = tape.pick([
      '',
      '<?xml version="1.0" encoding="utf-8"?>',
      '\uFEFF',
      "<?xml version='1.0'?>\r\n",
    ])
    const root = this.#element('DAV:', 'multistatus', new Map(), (scope) => {
      const written: string[] = []
      for (let left = tape.number(7); left > 0; left--) {
        const earlier = written.at(-1 - tape.number(3))
        // Servers write the same again and again: the remembered markup has to be right.
        written.push(
          earlier !== undefined && tape.once(3)
            ? earlier
            : tape.once(5)
              ? this.#odd(scope)
              : this.#response(scope),
        )
      }
      const more = [
        this.#sometimes(6, () => this.#text(scope, 'responsedescription', this.#value())),
        this.#sometimes(6, () => this.#text(scope, 'sync-token', this.#value())),
      ]
      return [...written, ...more].join('')
    })
    return declaration + this.#noise() + root + this.#noise()
  }

  #response(outer: Scope): string {
    const tape = this.#tape
    return this.#element('DAV:', 'response', outer, (scope) => {
      const parts = Array.from({length: tape.pick([1, 1, 1, 2, 3, 0])}, () =>
        this.#text(scope, 'href', this.#around(tape.pick(HREFS))),
      )
      const propstats = tape.pick([1, 2, 0, 3])
      for (let left = propstats; left > 0; left--) parts.push(this.#propstat(scope))
      if (propstats === 0 || tape.once(6)) parts.push(this.#status(scope))
      if (tape.once(30)) parts.push(this.#status(scope))
      return this.#inAnyOrder([...parts, ...this.#said(scope), this.#location(scope)])
    })
  }

  #propstat(outer: Scope): string {
    const tape = this.#tape
    return this.#element('DAV:', 'propstat', outer, (scope) => {
      const prop = this.#element('DAV:', 'prop', scope, (inner) =>
        Array.from({length: tape.number(5)}, () => this.#property(inner)).join(''),
      )
      const status = tape.once(6) ? '' : this.#status(scope)
      return this.#inAnyOrder([prop, status, ...this.#said(scope)])
    })
  }

  #property(scope: Scope): string {
    const tape = this.#tape
    if (!tape.once(3)) {
      const name = tape.pick(LIVE)
      const inside = (inner: Scope): string =>
        tape.once(4) ? this.#content(inner, 1) : this.#around(tape.pick(VALUES))
      return this.#element('DAV:', name, scope, inside)
    }
    return this.#element(tape.pick(NAMESPACES), tape.pick(NAMES), scope, (inner) =>
      this.#content(inner, 0),
    )
  }

  /** Mixed content. */
  #content(scope: Scope, depth: number): string {
    const tape = this.#tape
    let content = ''
    for (let left = tape.number(5); left > 0 && !tape.isAtEnd; left--) {
      content += tape.pick<() => string>([
        () => tape.pick(PIECES),
        () => tape.pick(PIECES),
        () => this.#noise(),
        () =>
          depth > 4
            ? ''
            : this.#element(tape.pick(NAMESPACES), tape.pick(NAMES), scope, (inner) =>
                this.#content(inner, depth + 1),
              ),
      ])()
    }
    return content
  }

  /** A stranger: an element that means nothing here, or stray text. */
  #odd(scope: Scope): string {
    const tape = this.#tape
    if (tape.once(3)) return tape.pick(PIECES)
    const [namespace, name] = tape.pick([
      ['urn:x', 'response'],
      ['DAV:', 'unknown'],
      ['', 'href'],
    ])
    return this.#element(namespace, name, scope, (inner) => {
      return tape.once(4) ? this.#response(inner) : this.#content(inner, 2)
    })
  }

  #said(scope: Scope): readonly string[] {
    return [
      this.#sometimes(6, () => this.#text(scope, 'responsedescription', this.#value())),
      this.#sometimes(6, () =>
        this.#element('DAV:', 'error', scope, (inner) => this.#content(inner, 3)),
      ),
    ]
  }

  #location(outer: Scope): string {
    return this.#sometimes(8, () =>
      this.#element('DAV:', 'location', outer, (scope) =>
        this.#text(scope, 'href', this.#tape.pick(HREFS)),
      ),
    )
  }

  #status(scope: Scope): string {
    return this.#text(scope, 'status', this.#around(this.#tape.pick(STATUSES)))
  }

  #text(outer: Scope, name: string, text: string): string {
    return this.#element('DAV:', name, outer, (scope) =>
      this.#tape.once(12) ? text + this.#odd(scope) : text,
    )
  }

  #value(): string {
    return this.#tape.pick(VALUES) + this.#tape.pick(PIECES)
  }

  /** The text, in pieces or with something around it. */
  #around(text: string): string {
    const tape = this.#tape
    if (!tape.once(4)) return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
    const at = tape.number(text.length + 1)
    const [before, after] = [text.slice(0, at), text.slice(at)]
    return tape.pick([
      `\n  ${text}\r\n `,
      `<![CDATA[${text}]]>`,
      `${before}${this.#noise()}${after}`,
      `<![CDATA[${before}]]>${after}`,
      Array.from(text, (character) => `&#x${(character.codePointAt(0) ?? 0).toString(16)};`).join(
        '',
      ),
    ])
  }

  #noise(): string {
    return this.#tape.once(8) ? this.#tape.pick(NOISE) : ''
  }

  #sometimes(times: number, write: () => string): string {
    return this.#tape.once(times) ? write() : ''
  }

  #inAnyOrder(parts: readonly string[]): string {
    const ordered = this.#tape.once(3) ? this.#tape.shuffle(parts) : parts
    return ordered.map((part) => this.#noise() + part).join(this.#tape.once(4) ? '\n  ' : '')
  }

  #element(
    namespace: string,
    local: string,
    outer: Scope,
    inside: (scope: Scope) => string,
  ): string {
    const {name, scope, attributes} = this.#startTag(namespace, local, outer)
    const content = inside(scope)
    const space = this.#sometimes(8, () => this.#tape.pick(SPACES))
    return content === '' && !this.#tape.once(3)
      ? `<${name}${attributes}${space}/>`
      : `<${name}${attributes}${space}>${content}</${name}${space}>`
  }

  /** A prefix that means the namespace here. It is declared if there is none, or if the tape decides so. */
  #startTag(
    namespace: string,
    local: string,
    outer: Scope,
  ): {name: string; scope: Scope; attributes: string} {
    const tape = this.#tape
    const scope = new Map(outer)
    const declared = new Map<string, string>()
    const declare = (prefix: string, uri: string): void => {
      scope.set(prefix, uri)
      declared.set(prefix, uri)
    }
    if (tape.once(8)) declare(tape.pick(PREFIXES), tape.pick(NAMESPACES))
    let prefix = [...scope.keys()].find((each) => scope.get(each) === namespace)
    const isBare = namespace === '' && (scope.get('') ?? '') === ''
    if (isBare) prefix = tape.once(4) ? 'undeclared' : ''
    else if (namespace === 'DAV:' && !scope.has('DAV') && tape.once(20)) prefix = 'DAV'
    if (prefix === undefined || (!isBare && tape.once(10))) {
      prefix = tape.pick(PREFIXES)
      declare(prefix, namespace)
    }
    const written = [...declared].map(
      ([key, uri]) => [key === '' ? 'xmlns' : `xmlns:${key}`, uri] as const,
    )
    if (tape.once(8)) written.push(tape.pick(ATTRIBUTES))
    if (tape.once(16)) written.push(['last', tape.pick(VALUES).replaceAll('"', '&quot;')])
    const attributes = tape
      .shuffle(written)
      .map((attribute) => this.#attribute(attribute))
      .join('')
    return {name: prefix === '' ? local : `${prefix}:${local}`, scope, attributes}
  }

  #attribute([name, value]: readonly [string, string]): string {
    const tape = this.#tape
    const equals = tape.once(10) ? ' =\n' : '='
    const quoted = value.includes('"') || tape.once(4) ? `'${value}'` : `"${value}"`
    return `${tape.once(10) ? tape.pick(SPACES) : ' '}${name}${equals}${quoted}`
  }
}
