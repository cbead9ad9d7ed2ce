/** Steps of PROPPATCH: the dead properties of a file or a collection, read back by raw requests. */
import type {DavResult, ProppatchOptions, XmlElement} from 'multistatus'
import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import type {ReferenceElement} from '../../support/reference-tree.ts'
import {readProperties} from '../support/raw-listing.ts'
import {send} from '../support/http.ts'
import type {State, VerbRow} from './rows.ts'
import type {Scene} from './scene.ts'
import {type Step, verdictOf} from './step.ts'

type ProppatchRow = Extract<VerbRow, `proppatch: ${string}`>

/** A collection in which dead properties are kept: that of the scene, or one that is made in another place. */
export async function openPropertyScene({server, name, url, dav}: Scene): Promise<PropertyScene> {
  const kept = server.recipe.deadProperties?.collection
  if (kept === undefined) return {url, dav}
  const own = `${server.url(kept)}${name}/`
  const requests = [
    ['MKCOL', own],
    ['MKCOL', `${own}c/`],
    ['PUT', `${own}old.txt`],
  ] as const
  for (const [method, to] of requests) {
    const {status} = await send(to, {method, ...(method === 'PUT' && {body: 'old.txt'})})
    if (status !== 201) throw new Error(`${method} ${to} answered ${status}`)
  }
  return {url: own, dav: new DavClient({url: own, transport: undiciTransport()})}
}

export interface PropertyScene {
  readonly url: string
  readonly dav: DavClient
}

/** The value of a property: text, an element, or nothing. */
type Values = Readonly<Record<string, string | XmlElement | undefined>>

/** Makes a step that is done if the properties of a resource have these values. They have none before. */
function sets(
  wants: Step['wants'],
  {path = 'old.txt', values}: {readonly path?: string; readonly values: Values},
  call: (scene: PropertyScene, path: string) => Promise<DavResult>,
): Step {
  return {
    wants,
    run: async (scene) => {
      const place = await openPropertyScene(scene)
      const verdict = await verdictOf(call(place, path))
      const found = await readProperties(place.url + path, Object.keys(values))
      return {verdict, state: stateOf(values, found)}
    },
  }
}

function stateOf(values: Values, found: ReadonlyMap<string, ReferenceElement>): State {
  const isSet = Object.entries(values).every(
    ([name, value]) => formatOf(found.get(name)) === formatValue(name, value),
  )
  if (isSet) return 'done'
  return found.size === 0 ? 'untouched' : 'partly done'
}

function formatValue(name: string, value: string | XmlElement | undefined): string {
  if (value === undefined) return formatOf(undefined)
  return formatOf(typeof value === 'string' ? {name, attributes: {}, children: [value]} : value)
}

/** Formats an element without its prefixes, so that equal elements have equal text. */
function formatOf(element: Omit<ReferenceElement, 'isClosed'> | XmlElement | undefined): string {
  if (element === undefined) return 'missing'
  const {name, attributes, children} = element
  return JSON.stringify([
    name,
    Object.keys(attributes)
      .toSorted()
      .map((key) => [key, attributes[key]]),
    children.map((child) => (typeof child === 'string' ? child : formatOf(child))),
  ])
}

const patch =
  (options: ProppatchOptions) =>
  ({dav}: PropertyScene, path: string): Promise<DavResult> =>
    dav.proppatch(path, options)

const colour = {'{urn:x}colour': 'blue'}
const two = {'{urn:x}colour': 'blue', '{urn:y}size': ' 7 '}
const nested: XmlElement = {
  name: '{urn:x}nested',
  attributes: {},
  children: [
    'before ',
    {name: '{urn:y}inner', attributes: {kind: '<"&'}, children: ['within']},
    ' after',
  ],
}
const german: XmlElement = {
  name: '{urn:x}title',
  attributes: {'{http://www.w3.org/XML/1998/namespace}lang': 'de'},
  children: ['Titel'],
}

export const proppatch: Readonly<Record<ProppatchRow, Step>> = {
  'proppatch: a text': sets('done', {values: colour}, patch({set: colour})),
  'proppatch: a text of a collection': sets(
    'done',
    {path: 'c/', values: colour},
    patch({set: colour}),
  ),
  'proppatch: two texts': sets('done', {values: two}, patch({set: two})),
  'proppatch: a text and its removal': sets(
    'done',
    {values: {...two, '{urn:y}size': undefined}},
    async ({dav}, path) => {
      const set = await dav.proppatch(path, {set: two})
      return set.ok ? dav.proppatch(path, {remove: ['{urn:y}size']}) : set
    },
  ),
  'proppatch: a text, verify': sets('done', {values: colour}, patch({set: colour, verify: true})),
  'proppatch: elements, verify': sets(
    'done',
    {values: {'{urn:x}nested': nested}},
    patch({set: {'{urn:x}nested': nested}, verify: true}),
  ),
  'proppatch: xml:lang': sets(
    'done',
    {values: {'{urn:x}title': german}},
    patch({set: {'{urn:x}title': german}}),
  ),
  'proppatch: a text and a protected property': sets(
    403,
    {values: colour},
    patch({set: {getetag: '"other"', ...colour}}),
  ),
}
