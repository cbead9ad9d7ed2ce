// The values of the properties of RFC 3744, 5397, 3253, 4791, 6638, 7809, 7953 and 6352, and of extensions that servers share. The
// markup is that of the RFCs' examples, or as servers write it. Nonsense is listed in `missing` with status 0.

import {
  aclDecoders,
  addressbookDecoders,
  calendarDecoders,
  type Decoders,
  DavClient,
  principalDecoders,
  type RawValue,
  versioningDecoders,
} from 'multistatus'
import {MultiStatusParser} from 'multistatus/parser'
import {describe, expect, expectTypeOf, it} from 'vitest'

import {found, multistatus, response} from '../support/fixtures.ts'

const PREFIXES: Readonly<Record<string, string>> = {
  D: 'DAV:',
  C: 'urn:ietf:params:xml:ns:caldav',
  A: 'urn:ietf:params:xml:ns:carddav',
  I: 'http://apple.com/ns/ical/',
  CS: 'http://calendarserver.org/ns/',
  O: 'http://owncloud.org/ns',
}

/** Decodes the content of a property. Returns its value, or the status and words of its entry in `missing`. */
function decode(decoders: Decoders, name: string, content: string): unknown {
  const [prefix = '', local = ''] = name.split(':')
  const declared = Object.entries(PREFIXES).map(
    ([one, namespace]) => ` xmlns:${one}="${namespace}"`,
  )
  const key = prefix === 'D' ? local : `{${PREFIXES[prefix]}}${local}`
  if (!(key in decoders)) throw new Error(`no decoder for ${key}`)
  const markup = `<${name}${declared.join('')}>${content}</${name}>`
  const {properties, missing} = found(markup, {decoders})
  if (missing.length === 0) return properties[key]
  expect(missing).toEqual([
    {name: key, status: 0, conditions: [], description: expect.stringMatching(/was not decoded$/)},
  ])
  expect(properties).toEqual({})
  return UNDECODABLE
}

const UNDECODABLE = Symbol('undecodable')

describe('principals', () => {
  it.each([
    [
      'D:alternate-URI-set',
      '<D:href>ldap://x/?uid</D:href><D:href>mailto:a@x</D:href>',
      ['ldap://x/?uid', 'mailto:a@x'],
    ],
    ['D:alternate-URI-set', '', []],
    [
      'D:current-user-principal',
      '<D:href>/principals/ana/</D:href>',
      {type: 'href', href: '/principals/ana/'},
    ],
    ['D:current-user-principal', '\n <D:href> /p/ </D:href>\n', {type: 'href', href: '/p/'}],
    ['D:current-user-principal', '<D:unauthenticated/>', {type: 'unauthenticated'}],
    [
      'D:group-member-set',
      '<D:href>/p/a</D:href><x:other/><D:href>/p/b</D:href>',
      ['/p/a', '/p/b'],
    ],
    ['D:group-member-set', ' \n ', []],
    ['D:group-membership', '<D:href>/g/1</D:href>', ['/g/1']],
    ['D:principal-collection-set', '<D:href>/principals/</D:href>', ['/principals/']],
    ['D:principal-URL', '<D:href>/p/ana%20b</D:href>', '/p/ana%20b'],
  ])('%s: %s', (name, content, value) => {
    expect(decode(principalDecoders, name, content)).toEqual(value)
  })

  it.each([
    ['D:alternate-URI-set', '/p/'],
    ['D:current-user-principal', ''],
    ['D:current-user-principal', '/p/ana/'],
    ['D:current-user-principal', '<D:href/>'],
    ['D:current-user-principal', '<D:all/>'],
    ['D:current-user-principal', '<D:self/>'],
    ['D:current-user-principal', '<D:href>/a</D:href><D:href>/b</D:href>'],
    ['D:current-user-principal', '<D:href>/a</D:href><D:unauthenticated/>'],
    ['D:principal-URL', ''],
    ['D:principal-URL', '<D:href> </D:href>'],
    ['D:principal-URL', '<D:href>/a</D:href><D:href>/b</D:href>'],
  ])('%s is undecodable: %s', (name, content) => {
    expect(decode(principalDecoders, name, content)).toBe(UNDECODABLE)
  })
})

const ALL = '<D:principal><D:all/></D:principal>'
const GRANT = '<D:grant><D:privilege><D:read/></D:privilege></D:grant>'
const DENY = '<D:deny><D:privilege><D:write/></D:privilege></D:deny>'

const ace = (content: string): string => `<D:ace>${content}</D:ace>`

describe('access control', () => {
  it.each([
    ['D:owner', '<D:href>/p/ana</D:href>', {type: 'href', href: '/p/ana'}],
    ['D:owner', '<D:unauthenticated/>', {type: 'unauthenticated'}],
    ['D:owner', '', {type: 'none'}],
    ['D:group', '<D:href>/g/1</D:href>', {type: 'href', href: '/g/1'}],
    ['D:inherited-acl-set', '<D:href>/docs/</D:href>', ['/docs/']],
    ['D:current-user-privilege-set', '', []],
    [
      'D:current-user-privilege-set',
      '<D:privilege><D:read/></D:privilege><D:other><D:no/></D:other><D:privilege><C:read-free-busy/><D:bind/></D:privilege><D:privilege/>',
      ['read', '{urn:ietf:params:xml:ns:caldav}read-free-busy', 'bind'],
    ],
    [
      'D:supported-privilege-set',
      `<D:supported-privilege>
        <D:privilege><D:all/></D:privilege><D:abstract/>
        <D:description xml:lang="en">Any operation</D:description>
        <D:supported-privilege><D:privilege><D:read/></D:privilege></D:supported-privilege>
      </D:supported-privilege>`,
      [
        {
          name: 'all',
          abstract: true,
          description: 'Any operation',
          contains: [{name: 'read', abstract: false, description: '', contains: []}],
        },
      ],
    ],
    ['D:acl', '', []],
    [
      'D:acl',
      ace(`<D:principal><D:href>/p/ana</D:href></D:principal>
        <D:grant><D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege></D:grant>`),
      [
        {
          principal: {type: 'href', href: '/p/ana'},
          invert: false,
          access: 'grant',
          privileges: ['read', 'write'],
          protected: false,
        },
      ],
    ],
    [
      'D:acl',
      ace(`<D:principal><D:property><D:owner/></D:property></D:principal>${DENY}<D:protected/>`) +
        ace(`<D:invert>${ALL}</D:invert>${GRANT}<D:inherited><D:href>/top/</D:href></D:inherited>`),
      [
        {
          principal: {type: 'property', name: 'owner'},
          invert: false,
          access: 'deny',
          privileges: ['write'],
          protected: true,
        },
        {
          principal: {type: 'all'},
          invert: true,
          access: 'grant',
          privileges: ['read'],
          protected: false,
          inherited: '/top/',
        },
      ],
    ],
  ])('%s: %s', (name, content, value) => {
    expect(decode(aclDecoders, name, content)).toEqual(value)
  })

  it('an ace may grant nothing, as DAViCal 1.1.12 writes it', () => {
    const rule = ace('<D:principal><D:authenticated/></D:principal><D:grant/>')
    expect(decode(aclDecoders, 'D:acl', rule)).toEqual([
      {
        principal: {type: 'authenticated'},
        invert: false,
        access: 'grant',
        privileges: [],
        protected: false,
      },
    ])
  })

  it.each(['all', 'authenticated', 'unauthenticated', 'self'])('an ace may be for %s', (type) => {
    const rule = ace(`<D:principal><D:${type}/></D:principal>${GRANT}`)
    expect(decode(aclDecoders, 'D:acl', rule)).toMatchObject([{principal: {type}}])
  })

  it.each([
    ['text', 'everybody'],
    ['no principal', ace(GRANT)],
    ['an unknown principal', ace(`<D:principal><x:other/></D:principal>${GRANT}`)],
    ['a principal without its href', ace(`<D:principal><D:href/></D:principal>${GRANT}`)],
    ['a principal without its property', ace(`<D:principal><D:property/></D:principal>${GRANT}`)],
    ['two principals', ace(`${ALL}${ALL}${GRANT}`)],
    ['neither grant nor deny', ace(ALL)],
    ['grant and deny', ace(`${ALL}${GRANT}${DENY}`)],
    ['an empty privilege', ace(`${ALL}<D:grant><D:privilege/></D:grant>`)],
    ['an origin without its href', ace(`${ALL}${GRANT}<D:inherited/>`)],
    ['one good rule and one without a principal', ace(`${ALL}${GRANT}`) + ace(DENY)],
  ])('an acl with %s is undecodable as a whole', (_, content) => {
    expect(decode(aclDecoders, 'D:acl', content)).toBe(UNDECODABLE)
  })

  it.each([
    ['D:owner', 'ana'],
    ['D:owner', '<D:all/>'],
    ['D:group', '<D:href/>'],
    ['D:current-user-privilege-set', 'read'],
    ['D:supported-privilege-set', ''],
    ['D:supported-privilege-set', '<D:supported-privilege><D:abstract/></D:supported-privilege>'],
  ])('%s is undecodable: %s', (name, content) => {
    expect(decode(aclDecoders, name, content)).toBe(UNDECODABLE)
  })
})

describe('the abilities of a resource', () => {
  it.each([
    [
      'D:supported-report-set',
      '<D:supported-report><D:report><D:sync-collection/></D:report></D:supported-report><D:supported-report/><D:supported-report><D:report><C:calendar-query/></D:report></D:supported-report>',
      ['sync-collection', '{urn:ietf:params:xml:ns:caldav}calendar-query'],
    ],
    ['D:supported-report-set', '', []],
    [
      'D:supported-report-set',
      // As xandikos 0.2.8 writes it.
      '<D:supported-report><D:sync-collection/></D:supported-report><D:supported-report><D:report/></D:supported-report>',
      ['sync-collection'],
    ],
    [
      'D:supported-method-set',
      '<D:supported-method name="PUT"/><D:supported-method/><D:supported-method name="COPY"/>',
      ['PUT', 'COPY'],
    ],
    [
      'D:supported-live-property-set',
      '<D:supported-live-property><D:prop><D:getetag/></D:prop></D:supported-live-property>',
      ['getetag'],
    ],
  ])('%s: %s', (name, content, value) => {
    expect(decode(versioningDecoders, name, content)).toEqual(value)
  })

  it.each(['D:supported-report-set', 'D:supported-method-set', 'D:supported-live-property-set'])(
    '%s is undecodable as text',
    (name) => {
      expect(decode(versioningDecoders, name, 'sync-collection')).toBe(UNDECODABLE)
    },
  )
})

describe('calendars', () => {
  it.each([
    ['C:calendar-availability', 'BEGIN:VCALENDAR\n', 'BEGIN:VCALENDAR\n'],
    ['C:calendar-data', '\nBEGIN:VCALENDAR\nEND:VCALENDAR\n', '\nBEGIN:VCALENDAR\nEND:VCALENDAR\n'],
    ['C:calendar-description', ' Ana ', ' Ana '],
    [
      'C:calendar-home-set',
      '<D:href>/cal/ana/</D:href><D:href>https://p3.example/cal/</D:href>',
      ['/cal/ana/', 'https://p3.example/cal/'],
    ],
    ['C:calendar-timezone', 'BEGIN:VTIMEZONE', 'BEGIN:VTIMEZONE'],
    ['C:calendar-timezone-id', '\n Europe/Berlin ', 'Europe/Berlin'],
    [
      'C:calendar-user-address-set',
      '<D:href>mailto:bernard@example.com</D:href>',
      ['mailto:bernard@example.com'],
    ],
    ['C:calendar-user-type', 'INDIVIDUAL', 'INDIVIDUAL'],
    ['C:max-attendees-per-instance', '25', 25],
    ['C:max-date-time', '20491231T235959Z', new Date('2049-12-31T23:59:59.000Z')],
    ['C:max-instances', '100', 100],
    ['C:max-resource-size', ' 102400 ', 102_400],
    ['C:min-date-time', '19000101T000000Z', new Date('1900-01-01T00:00:00.000Z')],
    ['C:schedule-calendar-transp', '<C:opaque/>', 'opaque'],
    ['C:schedule-calendar-transp', '<C:transparent/>', 'transparent'],
    ['C:schedule-default-calendar-URL', '<D:href>/cal/ana/work/</D:href>', ['/cal/ana/work/']],
    ['C:schedule-default-calendar-URL', '', []],
    ['C:schedule-inbox-URL', '<D:href>/cal/ana/inbox/</D:href>', '/cal/ana/inbox/'],
    ['C:schedule-outbox-URL', '<D:href>/cal/ana/outbox/</D:href>', '/cal/ana/outbox/'],
    ['C:schedule-tag', '"12345-67890"', '"12345-67890"'],
    [
      'C:supported-calendar-component-set',
      '<C:comp name="VEVENT"/><C:comp name="VTODO"/>',
      ['VEVENT', 'VTODO'],
    ],
    [
      'C:supported-calendar-component-set',
      '<C:comp/><D:comp name="VJOURNAL"/><C:comp name="VEVENT"/>',
      ['VEVENT'],
    ],
    [
      'C:supported-calendar-data',
      '<C:calendar-data content-type="text/calendar" version="2.0"/>',
      [{contentType: 'text/calendar', version: '2.0'}],
    ],
    [
      'C:supported-calendar-data',
      '<C:calendar-data/><C:calendar-data content-type="application/calendar+json"/>',
      [
        {contentType: 'text/calendar', version: '2.0'},
        {contentType: 'application/calendar+json', version: '2.0'},
      ],
    ],
    [
      'C:supported-collation-set',
      '<C:supported-collation>i;ascii-casemap</C:supported-collation><C:supported-collation>i;octet</C:supported-collation>',
      ['i;ascii-casemap', 'i;octet'],
    ],
    [
      'C:timezone-service-set',
      '<D:href>https://timezones.example.com</D:href>',
      ['https://timezones.example.com'],
    ],
    ['I:calendar-color', '#FF0000FF', '#FF0000FF'],
    ['I:calendar-order', '-1', -1],
    [
      'CS:allowed-sharing-modes',
      '<CS:can-be-shared/><CS:can-be-published/>',
      [
        '{http://calendarserver.org/ns/}can-be-shared',
        '{http://calendarserver.org/ns/}can-be-published',
      ],
    ],
    ['CS:calendar-proxy-read-for', '<D:href>/p/bob/</D:href>', ['/p/bob/']],
    ['CS:calendar-proxy-write-for', '', []],
    ['CS:getctag', ' "1e3" ', '"1e3"'],
    ['CS:publish-url', '<D:href>https://x/pub</D:href>', 'https://x/pub'],
    ['CS:source', '<D:href>webcal://x/a.ics</D:href>', 'webcal://x/a.ics'],
    ['O:calendar-enabled', '1', true],
    ['O:read-only', '0', false],
  ])('%s: %s', (name, content, value) => {
    expect(decode(calendarDecoders, name, content)).toEqual(value)
  })

  it.each([
    ['C:calendar-data', '<C:comp/>'],
    ['C:calendar-home-set', '/cal/ana/'],
    ['C:calendar-timezone-id', ' '],
    ['C:max-instances', '-1'],
    ['C:max-instances', '1e3'],
    ['C:max-instances', ''],
    ['C:max-resource-size', '9007199254740992'],
    ['C:max-resource-size', '<x:n>1</x:n>'],
    ['C:min-date-time', '19000101'],
    ['C:min-date-time', '19000101T000000'],
    ['C:min-date-time', '19001301T000000Z'],
    ['C:min-date-time', ''],
    ['C:schedule-calendar-transp', 'opaque'],
    ['C:schedule-calendar-transp', '<D:opaque/>'],
    ['C:schedule-calendar-transp', '<C:opaque/><C:transparent/>'],
    ['C:schedule-inbox-URL', ''],
    ['C:supported-calendar-component-set', ''],
    ['C:supported-calendar-component-set', '<C:comp/>'],
    ['C:supported-calendar-component-set', 'VEVENT'],
    ['C:supported-calendar-data', ''],
    ['C:supported-collation-set', 'i;octet'],
    ['I:calendar-order', '1.5'],
    ['CS:allowed-sharing-modes', 'can-be-shared'],
    ['CS:getctag', ''],
    ['O:calendar-enabled', 'yes'],
    ['O:calendar-enabled', 'TRUE'],
    ['O:calendar-enabled', ''],
    ['O:calendar-enabled', '2'],
  ])('%s is undecodable: %s', (name, content) => {
    expect(decode(calendarDecoders, name, content)).toBe(UNDECODABLE)
  })
})

describe('address books', () => {
  it.each([
    ['A:address-data', 'BEGIN:VCARD\nEND:VCARD\n', 'BEGIN:VCARD\nEND:VCARD\n'],
    ['A:addressbook-description', 'Adresses de Oliver Daboo', 'Adresses de Oliver Daboo'],
    ['A:addressbook-home-set', '<D:href>/bernard/addresses/</D:href>', ['/bernard/addresses/']],
    ['A:max-resource-size', '102400', 102_400],
    ['A:principal-address', '<D:href>/system/cyrus.vcf</D:href>', '/system/cyrus.vcf'],
    [
      'A:supported-address-data',
      '<A:address-data-type content-type="text/vcard" version="4.0"/><A:address-data-type/>',
      [
        {contentType: 'text/vcard', version: '4.0'},
        {contentType: 'text/vcard', version: '3.0'},
      ],
    ],
    [
      'A:supported-collation-set',
      '<A:supported-collation>i;unicode-casemap</A:supported-collation>',
      ['i;unicode-casemap'],
    ],
    [
      'A:supported-address-data',
      // As xandikos 0.2.8 writes it.
      '<x:other/><A:content-type content-type="text/vcard" version="3.0"/>',
      [{contentType: 'text/vcard', version: '3.0'}],
    ],
    ['CS:getctag', '7', '7'],
    ['O:enabled', 'true', true],
    ['O:read-only', 'false', false],
  ])('%s: %s', (name, content, value) => {
    expect(decode(addressbookDecoders, name, content)).toEqual(value)
  })

  it.each([
    ['A:addressbook-home-set', 'addresses'],
    ['A:principal-address', ''],
    ['A:supported-address-data', 'text/vcard'],
    ['O:enabled', 'on'],
  ])('%s is undecodable: %s', (name, content) => {
    expect(decode(addressbookDecoders, name, content)).toBe(UNDECODABLE)
  })
})

describe('the decoders of a client', () => {
  const all = {...calendarDecoders, ...addressbookDecoders, ...aclDecoders}
  const dav = new DavClient({
    url: 'https://dav.example/',
    decoders: all,
    transport: async () =>
      new Response(
        `<multistatus xmlns="DAV:"><response><href>/c/</href><propstat><prop>
          <supported-calendar-component-set xmlns="urn:ietf:params:xml:ns:caldav"><comp name="VTODO"/></supported-calendar-component-set>
          <owner><href>/p/</href></owner>
        </prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>`,
        {status: 207},
      ),
  })

  it('type the properties that a call names', async () => {
    const result = await dav.stat('c/', {
      properties: [
        '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set',
        'owner',
        '{urn:x}p',
      ],
    })
    if (!result.ok) throw new Error(result.reason)
    const {properties} = result
    expectTypeOf(
      properties['{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set'],
    ).toEqualTypeOf<readonly string[] | undefined>()
    expectTypeOf(properties['{urn:x}p']).toEqualTypeOf<RawValue | undefined>()
    const owner = properties.owner?.type === 'href' ? properties.owner.href : undefined
    expectTypeOf(owner).toEqualTypeOf<string | undefined>()
    expect(properties).toEqual({
      '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set': ['VTODO'],
      owner: {type: 'href', href: '/p/'},
    })
  })

  it('type the properties of the parser alone', () => {
    const body = multistatus(response('/docs/a', '<x:p>7</x:p>'))
    const parser = new MultiStatusParser({decoders: {'{urn:x}p': Number}})
    const [result] = parser.write(body)
    if (result?.ok !== true) throw new Error('no result')
    expectTypeOf(result.properties['{urn:x}p']).toEqualTypeOf<number | undefined>()
    expectTypeOf(result.properties.getetag).toEqualTypeOf<string | undefined>()
    expect(result.properties).toEqual({'{urn:x}p': 7})
  })

  it('type the properties of a call that asks for all', async () => {
    const result = await dav.stat('c/', {allprop: true})
    if (!result.ok) throw new Error(result.reason)
    const {properties} = result
    expectTypeOf(properties['{urn:ietf:params:xml:ns:caldav}max-date-time']).toEqualTypeOf<
      Date | undefined
    >()
    expectTypeOf(properties['{http://owncloud.org/ns}read-only']).toEqualTypeOf<
      boolean | undefined
    >()
    expect(properties.owner).toEqual({type: 'href', href: '/p/'})
  })

  it('give lists that no reader can change', async () => {
    const {successes} = await dav.propfind('c/', {depth: 0, properties: ['owner']}).collect()
    expect(Object.isFrozen(successes[0]?.properties.owner)).toBe(true)
  })
})
