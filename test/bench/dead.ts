// A listing in which every member carries 20 dead properties of a pool of 2,000 names in eight namespaces, as Apache writes
// them. Each response declares its namespaces again, by prefixes that mean another one in the next response.

import {APACHE, apacheLive, apacheResponse, isoDate, makeMember, randomFrom} from './responses.ts'
import type {Wire} from './responses.ts'

const PROPERTIES = 20
const POOL = 2000
const NAMESPACES = [
  'http://purl.org/dc/elements/1.1/',
  'http://ns.adobe.com/xap/1.0/',
  'http://ns.example.com/records',
  'urn:schemas-microsoft-com:office:office',
  'http://www.w3.org/2003/01/geo/wgs84_pos#',
  'http://subversion.tigris.org/xmlns/custom/',
  'urn:uuid:5f0b2a76-8d21-4c3e-9c53-2f6f1a7f7d10',
  'http://ns.example.com/archive/2026/',
]
const KINDS =
  'main first last original public draft legal local remote former short long outer inner final upper lower early late open closed fiscal annual daily weekly'.split(
    ' ',
  )
const THINGS =
  'author title editor keyword subject rating country city street camera lens aperture exposure latitude longitude altitude project customer contract invoice order budget checksum revision branch review approver department office language licence source page chapter edition publisher series volume issue doi'.split(
    ' ',
  )
const VALUES: readonly ((prefix: string, seed: number) => string)[] = [
  (_, seed) => `${THINGS[seed % 40]} ${seed}`,
  (_, seed) => `${seed}`.padStart(7, '0'),
  (_, seed) => isoDate(new Date(1_500_000_000_000 + seed * 1_000_003)),
  (_, seed) => `Smith &amp; Sons, ${KINDS[seed % 25]} ${THINGS[seed % 40]}`,
  () => 'true',
  (_, seed) => `https://records.example.com/${seed.toString(36)}/${THINGS[seed % 40]}`,
  (_, seed) => `Müller ${seed}, Zürich`,
  (_, seed) => `${(seed % 18_000) / 100}`,
  (prefix, seed) =>
    `<${prefix}:name>Ana ${seed % 97}</${prefix}:name><${prefix}:mail>ana${seed % 97}@example.com</${prefix}:mail>`,
  () => '',
]

export const DEAD: Wire = {
  ...APACHE,
  title: `listing of Apache 2.4 with ${PROPERTIES} dead properties of ${POOL} names in each response`,
  response: (number) => {
    const random = randomFrom(number)
    const pick = (many: number): number => Math.floor(random() * many)
    const first = pick(POOL)
    // Has no divisor in common with the pool: no name comes twice.
    const step = 10 * pick(POOL / 10) + 3
    const prefixes = new Map<string, string>()
    let properties = ''
    for (let index = 0; index < PROPERTIES; index++) {
      const name = (first + index * step) % POOL
      const namespace = NAMESPACES[name % NAMESPACES.length] ?? ''
      const prefix = prefixes.get(namespace) ?? `ns${prefixes.size + 1}`
      prefixes.set(namespace, prefix)
      const local = `${KINDS[name % 25]}-${THINGS[Math.floor(name / 25) % 40]}${name < 1000 ? '' : '-2'}`
      const value = VALUES[pick(VALUES.length)]?.(prefix, pick(100_000)) ?? ''
      const language = value.startsWith('Smith') ? ' xml:lang="en"' : ''
      properties +=
        value === ''
          ? `<${prefix}:${local}/>\n`
          : `<${prefix}:${local}${language}>${value}</${prefix}:${local}>\n`
    }
    const declarations = Array.from(prefixes, ([name, prefix]) => ` xmlns:${prefix}="${name}"`)
    const member = makeMember(number)
    return apacheResponse(
      member,
      ` xmlns:ns0="DAV:"${declarations.join('')}`,
      properties + apacheLive(member, number),
    )
  },
}
