/**
 * Makes the result of a response from its values alone, if its markup is that of an earlier response. All but the href and the values
 * of properties follows from the markup, so it is that of the earlier result.
 */

import {Undecodable} from '../properties/decode.ts'
import type {Property} from '../properties/values.ts'
import {decodeWritten} from '../properties/values.ts'
import type {Properties, PropertyValue} from '../properties/vocabulary.ts'
import type {HrefResolver, ResolvedHref} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {LayoutValues} from '../xml/layout.ts'
import type {PathNode} from '../xml/path.ts'
import {HREF} from './grammar.ts'
import type {Contents, ResponseDraft} from './response.ts'
import {append, NONE} from './response.ts'
import type {DavResult, Failure, PropertyFailure, Success} from './result.ts'

/** A property that is decoded anew for each response. */
interface Place {
  readonly property: Property
  /** Its place among the values of the layout; -1 for a text that is a part of the markup. */
  readonly index: number
  /** The text that is a part of the markup. */
  readonly text: string
}

/** Makes the result of a response with these values, and with the hrefs of its own document; `undefined` without an href. */
export type MakeResult = (values: LayoutValues, resolver: HrefResolver) => DavResult | undefined

/**
 * Makes the maker of results like this one.
 *
 * @param slots - The elements whose texts vary, in order.
 * @returns `undefined` for a result that does not follow from the markup and these texts.
 */
export function makerLike(
  example: DavResult,
  draft: ResponseDraft,
  contents: Contents,
  slots: readonly PathNode<Property>[],
): MakeResult | undefined {
  const hrefAt = slots.findIndex(({role}) => role === HREF)
  const known = contents.properties.slice(0, draft.size)
  const isUsual =
    draft.hrefs.length === 1 &&
    (example.ok || example.reason !== 'malformed') &&
    slots.filter(({role}) => role === HREF).length === 1 &&
    // Of a property that comes twice, the values tell which one counts.
    new Set(known.map(({key}) => key)).size === known.length &&
    // A value of the example could not be decoded. Others may be.
    example.missing.every(({status, description}) => status !== 0 || description === undefined)
  if (!isUsual) return undefined
  const hrefOf = (values: LayoutValues): string => ownCopy(trimSpace(values.text(hrefAt)))
  const resolve = (href: string, values: LayoutValues, resolver: HrefResolver): ResolvedHref =>
    values.isPlain(hrefAt)
      ? resolver.resolveAt(href, values.source.bytes, values.from(hrefAt), values.to(hrefAt))
      : resolver.resolve(href)
  // Everything is copied, here and for each result: the caller may change what it gets.
  const missing = example.missing.map(copyOf)
  if (!example.ok) {
    const {status, reason, description, location} = example
    const conditions = [...example.conditions]
    const hasMore = description !== undefined || location !== undefined
    const more = hasMore
      ? {...(description !== undefined && {description}), ...(location !== undefined && {location})}
      : undefined
    return (values, resolver) => {
      const href = hrefOf(values)
      if (href === '') return undefined
      const {url, relation} = resolve(href, values, resolver)
      // The literals have the order of those in `response.ts`, so that V8 gives all results one shape.
      const failure: Failure = {
        ok: false,
        href,
        url,
        relation,
        status,
        reason,
        conditions: copyList(conditions),
        missing: missing.length === 0 ? NONE : missing.map(copyOf),
      }
      return more === undefined ? failure : {...failure, ...more}
    }
  }
  const {status, description} = example
  const template = {...example.properties}
  const places = placesOf(draft, contents, slots)
  return (values, resolver) => {
    const href = hrefOf(values)
    if (href === '') return undefined
    // Before any decoder of the caller: the bytes are the caller's too.
    const {url, relation} = resolve(href, values, resolver)
    const made = fill(template, missing, places, values)
    const {properties: own, missing: absent} = made
    // No spread: it makes slower objects.
    return description === undefined
      ? {ok: true, href, url, relation, status, properties: own, missing: absent}
      : {ok: true, href, url, relation, status, properties: own, missing: absent, description}
  }
}

/**
 * Finds the properties that are decoded anew. A function of its own, because a maker keeps what its siblings see, and the texts are
 * windows on a chunk.
 */
function placesOf(
  draft: ResponseDraft,
  {properties, written}: Contents,
  slots: readonly PathNode<Property>[],
): readonly Place[] {
  return draft.propstats.flatMap((propstat): Place[] => {
    if (!isSuccessStatus(propstat.status)) return []
    return properties.slice(propstat.from, propstat.to).flatMap((property, offset): Place[] => {
      const text = written[propstat.from + offset]
      const index = slots.findIndex(({name}) => name.known === property)
      // An element has one decoded value for all results, and so has a text without a decoder.
      const isShared = typeof text !== 'string' || (index === -1 && property.decode === undefined)
      return isShared ? [] : [{property, index, text: index === -1 ? ownCopy(text) : ''}]
    })
  })
}

/** Copies an object of properties, with other values in these places. A property with an undecodable one goes to `missing`. */
function fill(
  template: Properties,
  missing: readonly PropertyFailure[],
  places: readonly Place[],
  values: LayoutValues,
): Pick<Success, 'properties' | 'missing'> {
  const properties: Record<string, PropertyValue | undefined> = {...template}
  let undecodable: PropertyFailure[] = NONE
  for (const {index, property, text} of places) {
    const {key} = property
    const value = decodeWritten(property, index === -1 ? text : values.text(index))
    if (value instanceof Undecodable) {
      const failure = {name: key, status: 0, conditions: NONE, description: value.problem}
      undecodable = append(undecodable, failure)
      Reflect.deleteProperty(properties, key)
    } else properties[key] = value as PropertyValue
  }
  const isWhole = missing.length === 0 && undecodable.length === 0
  return {properties, missing: isWhole ? NONE : [...missing.map(copyOf), ...undecodable]}
}

function copyOf(failure: PropertyFailure): PropertyFailure {
  const {name, status, conditions, description} = failure
  const copy = {name, status, conditions: copyList(conditions)}
  return description === undefined ? copy : {...copy, description}
}

function copyList(conditions: readonly string[]): readonly string[] {
  return conditions.length === 0 ? NONE : [...conditions]
}
