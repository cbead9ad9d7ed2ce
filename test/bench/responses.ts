// Single responses in the very markup of the server that is named, as recorded in test/fixtures: line breaks, prefixes, escapes
// and order are its own. Hrefs, ETags, sizes and dates differ from one response to the next.

/** The markup of one server. */
export interface Wire {
  readonly title: string
  readonly method: 'PROPFIND' | 'DELETE'
  readonly url: string
  readonly prologue: string
  readonly epilogue: string
  readonly response: (number: number) => string
}

/** The facts of a listing about one member. */
interface Member {
  readonly isCollection: boolean
  readonly name: string
  readonly type: string | undefined
  readonly size: number
  readonly modified: Date
  readonly etag: string
}

const KINDS: readonly (readonly [string, string | undefined])[] = [
  ['jpg', 'image/jpeg'],
  ['pdf', 'application/pdf'],
  ['txt', 'text/plain'],
  ['jpg', 'image/jpeg'],
  ['png', 'image/png'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['mp4', 'video/mp4'],
  ['bak', undefined],
]
const STEMS = [
  'IMG',
  'Invoice',
  'meeting notes',
  'Scan',
  'draft',
  'Holiday photo',
  'backup',
  'page',
]
const LATEST = Date.UTC(2026, 10, 22, 12, 41, 50)

/** The member of that number: one in fifty is a collection, one in forty has a name that needs more than `%20`. */
export function makeMember(number: number): Member {
  const [extension, type] = KINDS[number % KINDS.length] ?? ['txt', 'text/plain']
  const stem = number % 40 === 7 ? 'Café & bar #' : `${STEMS[(number * 7) % 8]} `
  const isCollection = number % 50 === 0
  const modified = new Date(LATEST - number * 86_399_000)
  return {
    isCollection,
    name: isCollection ? `${stem}${number}` : `${stem}${number}.${extension}`,
    type,
    size: (number * 7919 * 104_729) % 50_000_000,
    modified,
    etag: (modified.getTime() * 1000).toString(16),
  }
}

/** `2026-11-22T12:41:50Z` */
export function isoDate(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}

/** A name as a segment of an href, with `&` as servers leave it. */
function segment(name: string): string {
  return encodeURIComponent(name).replaceAll('%26', '&amp;')
}

function lowerCase(escaped: string): string {
  return escaped.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
}

/** The live properties in an allprop answer of Apache, which follow the dead ones. */
export function apacheLive(member: Member, number: number): string {
  const {isCollection, type} = member
  const contentType = isCollection ? 'httpd/unix-directory' : type
  return `${isCollection ? '<lp1:resourcetype><D:collection/></lp1:resourcetype>' : '<lp1:resourcetype/>'}
<lp1:creationdate>${isoDate(member.modified)}</lp1:creationdate>
${isCollection ? '' : `<lp1:getcontentlength>${member.size}</lp1:getcontentlength>\n`}<lp1:getlastmodified>${member.modified.toUTCString()}</lp1:getlastmodified>
<lp1:getetag>"${isCollection ? '1000' : member.size.toString(16)}-${member.etag}"</lp1:getetag>
${isCollection ? '' : `<lp2:executable>${number % 30 === 3 ? 'T' : 'F'}</lp2:executable>\n`}<D:supportedlock>
<D:lockentry>
<D:lockscope><D:exclusive/></D:lockscope>
<D:locktype><D:write/></D:locktype>
</D:lockentry>
<D:lockentry>
<D:lockscope><D:shared/></D:lockscope>
<D:locktype><D:write/></D:locktype>
</D:lockentry>
</D:supportedlock>
<D:lockdiscovery/>
${contentType === undefined ? '' : `<D:getcontenttype>${contentType}</D:getcontenttype>\n`}`
}

/** A response of Apache's with these declarations and properties. */
export function apacheResponse(member: Member, declarations: string, properties: string): string {
  return `<D:response${declarations} xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
<D:href>/files/archive/${lowerCase(segment(member.name))}${member.isCollection ? '/' : ''}</D:href>
<D:propstat>
<D:prop>
${properties}</D:prop>
<D:status>HTTP/1.1 200 OK</D:status>
</D:propstat>
</D:response>
`
}

export const APACHE: Wire = {
  title: 'allprop listing of Apache 2.4',
  method: 'PROPFIND',
  url: 'http://localhost/files/archive/',
  prologue:
    '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">\n',
  epilogue: '</D:multistatus>\n',
  response: (number) => {
    const member = makeMember(number)
    return apacheResponse(member, '', apacheLive(member, number))
  },
}

export const NEXTCLOUD: Wire = {
  title: 'listing of Nextcloud, named properties',
  method: 'PROPFIND',
  url: 'http://localhost/remote.php/dav/files/ana/',
  prologue:
    '<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">',
  epilogue: '</d:multistatus>\n',
  response: (number) => {
    const {isCollection, name, size, modified, etag, type} = makeMember(number)
    const {length} = `${size}`
    const shares =
      number % 12 === 5
        ? `<oc:share-types><oc:share-type>${number % 4}</oc:share-type></oc:share-types>`
        : '<oc:share-types/>'
    const found =
      `<d:getlastmodified>${modified.toUTCString()}</d:getlastmodified>` +
      (isCollection ? '' : `<d:getcontentlength>${size}</d:getcontentlength>`) +
      `<d:getetag>&quot;${etag}${length}&quot;</d:getetag>` +
      (isCollection
        ? `<d:resourcetype><d:collection/></d:resourcetype><d:quota-used-bytes>${size}</d:quota-used-bytes><d:quota-available-bytes>-3</d:quota-available-bytes>`
        : `<d:resourcetype/><d:getcontenttype>${type ?? 'application/octet-stream'}</d:getcontenttype>`) +
      `<oc:fileid>${`${number * 13 + 42}`.padStart(8, '0')}</oc:fileid><oc:permissions>${isCollection ? 'RGDNVCK' : 'RGDNVW'}</oc:permissions><oc:size>${size}</oc:size>` +
      `<oc:favorite>${number % 25 === 4 ? 1 : 0}</oc:favorite><oc:comments-unread>0</oc:comments-unread><oc:owner-id>ana</oc:owner-id><oc:owner-display-name>Ana Lima</oc:owner-display-name>` +
      shares +
      (isCollection ? '' : `<nc:has-preview>${number % 2 === 0}</nc:has-preview>`)
    const absent = isCollection
      ? '<d:getcontentlength/><d:getcontenttype/><nc:has-preview/>'
      : '<d:quota-used-bytes/><d:quota-available-bytes/>'
    return `<d:response><d:href>/remote.php/dav/files/ana/${lowerCase(encodeURIComponent(name))}${isCollection ? '/' : ''}</d:href><d:propstat><d:prop>${found}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat><d:propstat><d:prop>${absent}</d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>`
  },
}

export const RCLONE: Wire = {
  title: 'allprop listing of rclone, in the order of a Go map',
  method: 'PROPFIND',
  url: 'http://localhost/archive/',
  prologue: '<?xml version="1.0" encoding="UTF-8"?><D:multistatus xmlns:D="DAV:">',
  epilogue: '</D:multistatus>',
  response: (number) => {
    const {isCollection, name, size, modified, etag, type} = makeMember(number)
    const properties = [
      `<D:resourcetype>${isCollection ? '<D:collection xmlns:D="DAV:"/>' : ''}</D:resourcetype>`,
      `<D:displayname>${name.replaceAll('&', '&amp;')}</D:displayname>`,
      '<D:supportedlock><D:lockentry xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry></D:supportedlock>',
      `<D:getlastmodified>${modified.toUTCString()}</D:getlastmodified>`,
    ]
    if (!isCollection)
      properties.push(
        `<D:getetag>"${etag}${size.toString(16)}"</D:getetag>`,
        `<D:getcontentlength>${size}</D:getcontentlength>`,
        `<D:getcontenttype>${type ?? 'application/octet-stream'}</D:getcontenttype>`,
      )
    const order = shuffle(properties, number).join('')
    return `<D:response><D:href>/archive/${segment(name)}${isCollection ? '/' : ''}</D:href><D:propstat><D:prop>${order}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
  },
}

export const DELETE: Wire = {
  title: '207 of a DELETE, short responses as Apache writes them',
  method: 'DELETE',
  url: 'http://localhost/files/archive/',
  prologue: '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n',
  epilogue: '</D:multistatus>\n',
  response: (number) => {
    const {name, isCollection} = makeMember(number)
    const status = isCollection ? '424 Failed Dependency' : '423 Locked'
    // The condition as in the example of RFC 4918, section 9.6.2.
    const error = number % 8 === 3 ? '<D:error><D:lock-token-submitted/></D:error>\n' : ''
    return `<D:response>
<D:href>/files/archive/${number % 17}/${lowerCase(segment(name))}${isCollection ? '/' : ''}</D:href>
<D:status>HTTP/1.1 ${status}</D:status>
${error}</D:response>
`
  },
}

/** Numbers from 0 to below 1, always the same ones for one seed. */
export function randomFrom(seed: number): () => number {
  let state = (seed + 1) * 0x9e_37_79_b1
  return () => {
    state = Math.imul(state ^ (state >>> 15), state | 1)
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61)
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffle(properties: readonly string[], seed: number): string[] {
  const random = randomFrom(seed)
  return properties
    .map((property) => ({property, rank: random()}))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({property}) => property)
}
