/**
 * Round trips on real servers, drawn by fast-check. A file comes back with its name and its bytes, and a property with its
 * value. `ROUND_TRIP_SEED` repeats a run or draws another one.
 */
import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import fc from 'fast-check'
import {encodePath, nameOf, type XmlElement} from 'multistatus'
import {expect, it} from 'vitest'
import {propertyServers, verbServers} from './servers.ts'
import {readPaths} from './support/disk.ts'
import {describeServers} from './support/suite.ts'
import {openPropertyScene} from './verbs/proppatch.ts'
import {makeScene} from './verbs/scene.ts'

const seed = Number(process.env['ROUND_TRIP_SEED'] ?? 4918)

/** Characters with a meaning in a URL, in XML or for a server, and any others that XML allows. */
const character = fc.oneof(
  {weight: 3, arbitrary: fc.constantFrom(...'abc .-_~!$&\'()*+,;=:@%#?"<>[]{}|^`\\éß日')},
  {weight: 1, arbitrary: fc.string({unit: 'grapheme', minLength: 1, maxLength: 1})},
)

/** Names that the guards allow: no control character, and nothing that a server may read as another place. */
const fileName = fc
  .string({unit: character, minLength: 1, maxLength: 40})
  .filter(
    (name) =>
      !/[\p{C}/]|^[.;]|\\.*\.|;.*\.\.|\\(?:;|$)/u.test(name) && Buffer.byteLength(name) < 200,
  )

const upload = fc.record({name: fileName, bytes: fc.uint8Array({maxLength: 3000})})

const text = fc
  .string({unit: fc.oneof(character, fc.constantFrom('\t', '\n', '\r', '\r\n', ' ', '\u{10FFFF}'))})
  .filter((value) => !/[\u0000-\u0008\v\f\u000E-\u001F\uFFFE\uFFFF]/.test(value))

const localName = fc.stringMatching(/^[A-Za-zé][\w.é-]{0,8}$/)
const namespace = fc.constantFrom('urn:x', 'http://example.com/a?b=c&d', 'urn:%C3%BC')

const propertyName = fc
  .tuple(fc.oneof(namespace, fc.constant('')), localName)
  .map(([of, local]) => `{${of}}${local}`)

/** Elements with attributes in no namespace, because Tomcat puts every attribute there. */
const element = (name: string): fc.Arbitrary<XmlElement> => {
  const inner = fc.record({
    name: fc.tuple(namespace, localName).map(([of, local]) => `{${of}}${local}`),
    attributes: fc.dictionary(localName, fc.stringMatching(/^[\w <>&"']{0,9}$/)),
    children: fc.stringMatching(/^[\w <>&"']{1,9}$/).map((child) => [child]),
  })
  const words = fc.stringMatching(/^[\w <>&"']{1,9}$/)
  return fc.record({
    name: fc.constant(name),
    attributes: fc.constant({}),
    children: fc.tuple(words, inner, words, inner).map((children) => [...children]),
  })
}

describeServers(verbServers, (server) => {
  it('a file that was put is on the disk and is got, with its name and its bytes', async () => {
    const isKept = ({name}: {readonly name: string}): boolean =>
      server.traits.refusal(name) === undefined && server.recipe.verbs?.renames?.(name) !== true
    const uploads = fc.uniqueArray(upload.filter(isKept), {
      minLength: 1,
      maxLength: 4,
      selector: ({name}) => name,
    })
    await fc.assert(
      fc.asyncProperty(uploads, async (all) => {
        const {dav, folder} = await makeScene(server)
        for (const {name, bytes} of all) {
          const put = await dav.put(`e/${encodePath(name)}`, bytes)
          expect(put).toMatchObject({ok: true})
          expect(new Uint8Array(await readFile(join(folder, 'e', name)))).toEqual(bytes)
        }
        const names = all.map(({name}) => name)
        expect(await readPaths(join(folder, 'e'))).toEqual([...names, '3.txt'].toSorted())
        for (const {name, bytes} of all) {
          const got = await dav.get(`e/${encodePath(name)}`)
          expect(got.ok ? await got.bytes() : got).toEqual(bytes)
        }
        const {successes} = await dav.propfind('e/', {depth: 1}).collect()
        const listed = successes
          .filter(({relation}) => relation === 'member')
          .map((result) => nameOf(result) ?? '')
        expect(listed.toSorted()).toEqual([...names, '3.txt'].toSorted())
      }),
      {seed, numRuns: 25},
    )
  })
})

describeServers(propertyServers, (server) => {
  const traits = server.recipe.deadProperties
  if (traits === undefined) throw new Error(`${server.recipe.name} keeps no dead properties`)

  it('a text that was set by PROPPATCH is read by PROPFIND', async () => {
    const properties = fc.dictionary(propertyName, text, {minKeys: 1, maxKeys: 4})
    await fc.assert(
      fc.asyncProperty(properties, async (set) => {
        const {dav} = await openPropertyScene(await makeScene(server))

        expect(await dav.proppatch('old.txt', {set})).toMatchObject({ok: true})

        const read = await dav.stat('old.txt', {properties: Object.keys(set)})
        const kept = Object.entries(set).map(([name, value]) => [name, traits.textOf(value)])
        expect(read.ok && read.properties).toEqual(
          Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
        )
      }),
      {seed, numRuns: 40},
    )
  })

  if (traits.keepsElements)
    it('elements that were set by PROPPATCH are read by PROPFIND', async () => {
      const property = fc
        .tuple(namespace, localName)
        .chain(([of, local]) => element(`{${of}}${local}`))
      await fc.assert(
        fc.asyncProperty(property, async (value) => {
          const {dav} = await openPropertyScene(await makeScene(server))

          expect(await dav.proppatch('old.txt', {set: {[value.name]: value}})).toMatchObject({
            ok: true,
          })

          const read = await dav.stat('old.txt', {properties: [value.name]})
          expect(read.ok && read.properties).toEqual({[value.name]: value})
        }),
        {seed, numRuns: 20},
      )
    })
})
