// A listing as Apache 2.4 writes it, about 800 bytes a response, in chunks of 8 KB that are cut anywhere. A thousand responses
// are made once and repeated, so that the making of a long body takes no memory beside the reading of it.

const PROLOGUE =
  '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">\n'
const EPILOGUE = '</D:multistatus>\n'
const BLOCK = 1000
const CHUNK = 8192

/** The chunks of a Multi-Status document of so many responses, a whole number of thousands. */
export function* apacheListing(responses: number): Generator<Uint8Array, void, undefined> {
  if (responses % BLOCK !== 0) throw new RangeError(`responses is a multiple of ${BLOCK}`)
  const encoder = new TextEncoder()
  const block = encoder.encode(
    Array.from({length: BLOCK}, (_, number) => apacheResponse(number)).join(''),
  )
  yield encoder.encode(PROLOGUE)
  for (let made = 0; made < responses; made += BLOCK) {
    for (let at = 0; at < block.length; at += CHUNK) yield block.subarray(at, at + CHUNK)
  }
  yield encoder.encode(EPILOGUE)
}

function apacheResponse(number: number): string {
  return `<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
<D:href>/files/archive/photo%20${number}.jpg</D:href>
<D:propstat>
<D:prop>
<lp1:resourcetype/>
<lp1:creationdate>2026-11-22T12:41:50Z</lp1:creationdate>
<lp1:getcontentlength>${number * 37}</lp1:getcontentlength>
<lp1:getlastmodified>Sun, 22 Nov 2026 12:41:50 GMT</lp1:getlastmodified>
<lp1:getetag>"${number.toString(16)}-5f8e0c41a2b80"</lp1:getetag>
<lp2:executable>F</lp2:executable>
<D:supportedlock>
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
<D:getcontenttype>image/jpeg</D:getcontenttype>
</D:prop>
<D:status>HTTP/1.1 200 OK</D:status>
</D:propstat>
</D:response>
`
}
