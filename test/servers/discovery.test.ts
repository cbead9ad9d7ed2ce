/**
 * Discovery of calendars and address books, and their decoded properties. Radicale knows the user by the credentials; xandikos has
 * one user.
 */
import {
  addressbookDecoders,
  basicAuth,
  calendarDecoders,
  DavClient,
  type DavService,
  discover,
  principalDecoders,
  versioningDecoders,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {beforeAll, expect, it} from 'vitest'
import {principalServers} from './servers.ts'
import {makeCalendar, makeHome} from './support/calendars.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

interface User {
  readonly principal: string
  readonly homes: Readonly<Record<DavService, string>>
  /** Plain paths of a new calendar and a new address book. */
  readonly calendar: string
  readonly addressbook: string
}

const userOf = ({recipe}: Server): User =>
  recipe.name.startsWith('Radicale')
    ? {
        principal: 'ana/',
        homes: {caldav: 'ana/', carddav: 'ana/'},
        calendar: 'ana/work',
        addressbook: 'ana/people',
      }
    : {
        principal: 'user/',
        homes: {caldav: 'user/calendars/', carddav: 'user/contacts/'},
        calendar: 'user/calendars/work',
        addressbook: 'user/contacts/people',
      }

const clientOf = (server: Server, path = ''): DavClient =>
  new DavClient({
    url: server.url() + path,
    auth: basicAuth('ana', 'secret'),
    transport: undiciTransport(),
  })

const decoders = {
  ...calendarDecoders,
  ...addressbookDecoders,
  ...principalDecoders,
  ...versioningDecoders,
}

describeServers(principalServers, (server) => {
  const user = userOf(server)

  beforeAll(async () => {
    if (user.principal === 'ana/') await makeHome(server, 'ana')
    await makeCalendar(server, user.calendar, ['1.ics'])
    await makeCalendar(server, user.addressbook, ['1.vcf'], 'addressbook')
  })

  it.for([
    ['the root', ''],
    ['a URL that is not there, by the well-known URL', 'nothing/here/'],
    ['a calendar', `${user.calendar}/`],
  ])('the home sets are found from %s', async ([, path]) => {
    for (const service of ['caldav', 'carddav'] as const) {
      const found = await discover(clientOf(server, path), service)

      const principal = server.url() + user.principal
      const url = server.url() + user.homes[service]
      expect(found).toMatchObject({ok: true, principal, homeSets: [{url, principal}]})
    }
  })

  it('the calendars of a home set have decoded properties', async () => {
    const dav = clientOf(server)
    const home = user.homes.caldav
    const {successes} = await dav
      .propfind(home, {
        depth: 1,
        properties: [
          'current-user-principal',
          'supported-report-set',
          '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set',
          '{http://calendarserver.org/ns/}getctag',
        ],
        decoders,
      })
      .collect()

    const work = successes.find(({url}) => url === `${server.url()}${user.calendar}/`)
    expect(work?.properties).toMatchObject({
      'current-user-principal': {type: 'href', href: `/${user.principal}`},
      'supported-report-set': expect.arrayContaining([
        'sync-collection',
        '{urn:ietf:params:xml:ns:caldav}calendar-query',
        '{urn:ietf:params:xml:ns:caldav}calendar-multiget',
      ]),
      '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set': expect.arrayContaining([
        'VEVENT',
        'VTODO',
      ]),
      '{http://calendarserver.org/ns/}getctag': expect.stringMatching(/[\da-f]{40}/),
    })
    expect(work?.missing).toEqual([])
  })

  it('no property of an address book is undecodable', async () => {
    const properties = Object.keys(decoders)
    const result = await clientOf(server).stat(`${user.addressbook}/`, {properties, decoders})

    expect(result).toMatchObject({ok: true})
    expect(result.missing.filter(({status}) => status === 0)).toEqual([])
    expect(result.ok && result.properties['supported-report-set']).toEqual(
      expect.arrayContaining(['{urn:ietf:params:xml:ns:carddav}addressbook-multiget']),
    )
  })

  it('a user without credentials is unknown to a server that asks for them', async () => {
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})
    const found = await discover(dav, 'caldav')

    const statuses = found.steps.map(({status}) => status)
    expect([found.ok || found.reason, statuses]).toEqual(
      user.principal === 'ana/' ? ['unauthenticated', [401, 401]] : [true, [200, 200, 200]],
    )
  })
})
