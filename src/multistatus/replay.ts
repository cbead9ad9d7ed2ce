/**
 * Makes the result of a response from its values alone, if its markup is that of an earlier response. All but the href and the values
 * of properties follows from the markup, so it is taken from the earlier result.
 */

import {Undecodable} from '../properties/decode.ts'
import type {Property} from '../properties/values.ts'
import {decodeWritten} from '../properties/values.ts'
import type {Properties, PropertyValue} from '../properties/vocabulary.ts'
import type {HrefResolver} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {LayoutValues} from '../xml/layout.ts'
import type {PathNode} from '../xml/path.ts'
import {HREF} from './grammar.ts'
import type {Contents, ResponseDraft} from './response.ts'
import {append, NONE} from './response.ts'
import type {DavResult, PropertyFailure, Success} from './result.ts'

/** A property whose value is at a place among those of the layout. */
interface Slot {
  readonly index: number
  readonly property: Property
}

/** Makes the result of a response with these values, and with the hrefs of its own document; `undefined` if they have a fault. */
export type MakeResult = (given: LayoutValues, resolver: HrefResolver) => DavResult | undefined

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
    new Set(known).size === known.length &&
    // A value of the example could not be decoded. Others may be.
    example.missing.every(({status, description}) => status !== 0 || description === undefined)
  if (!isUsual) return undefined
  const hrefOf = (given: LayoutValues): string => ownCopy(trimSpace(given.text(hrefAt)))
  // A literal has the order of those in `response.ts`, so that V8 gives all results one shape, and is faster than a copy.
  if (!example.ok)
    return (given, resolver) => {
      const href = hrefOf(given)
      if (href === '' || given.isFaulty) return undefined
      const {url, relation} = resolver.resolve(href)
      const {status, reason, conditions, missing, description, location} = example
      if (description !== undefined || location !== undefined)
        return {...example, href, url, relation}
      return {ok: false, href, url, relation, status, reason, conditions, missing}
    }
  const filled = new Set(
    draft.propstats.flatMap(({status, from, to}) =>
      isSuccessStatus(status) ? known.slice(from, to) : [],
    ),
  )
  const places = slots.flatMap(({name: {known: property}}, index): Slot[] =>
    property !== undefined && filled.has(property) ? [{index, property}] : [],
  )
  // The caller may change the properties of the example.
  const properties = {...example.properties}
  return (given, resolver) => {
    const href = hrefOf(given)
    if (href === '') return undefined
    const made = fill(properties, example.missing, places, given)
    if (given.isFaulty) return undefined
    const {url, relation} = resolver.resolve(href)
    const {status, description} = example
    const {properties: own, missing} = made
    if (description !== undefined)
      return {...example, href, url, relation, properties: own, missing}
    return {ok: true, href, url, relation, status, properties: own, missing}
  }
}

/** Copies an object of properties, with other values in these places. A property with an undecodable one goes to `missing`. */
function fill(
  example: Properties,
  missing: readonly PropertyFailure[],
  places: readonly Slot[],
  given: LayoutValues,
): Pick<Success, 'properties' | 'missing'> {
  const properties: Record<string, PropertyValue | undefined> = {...example}
  let undecodable: PropertyFailure[] = NONE
  for (const {index, property} of places) {
    const {key} = property
    const value = decodeWritten(property, given.text(index))
    if (value instanceof Undecodable) {
      const failure = {name: key, status: 0, conditions: NONE, description: value.problem}
      undecodable = append(undecodable, failure)
      Reflect.deleteProperty(properties, key)
    } else properties[key] = value as PropertyValue
  }
  const isWhole = missing.length === 0 && undecodable.length === 0
  return {properties, missing: isWhole ? NONE : [...missing, ...undecodable]}
}
