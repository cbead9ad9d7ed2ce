// Words that a random change would not find: the grammar of a Multi-Status document, the marks of XML, and odd bytes of several
// encodings. Each is a string of bytes: a character stands for its code.

const DATES: readonly string[] = [
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'sun, 6 nOV 1994 08:49:37 +0230',
  '1994-11-06T08:49:37.5+02:30',
  '19941106t084937,123z',
  '29 Feb 2023 24:60:61 -2400',
  '0000-02-30T00:00:00Z',
  '784111777',
]

/** Tags and text of the grammar, some with another prefix or without one. RFC 4918, section 14. */
export const GRAMMAR: readonly string[] = [
  ...['multistatus', 'response', 'href', 'status', 'propstat', 'prop', 'error', 'location'].flatMap(
    (name) => [`<D:${name}>`, `</D:${name}>`],
  ),
  '<D:responsedescription>',
  '</D:responsedescription>',
  '<D:sync-token>',
  '</D:sync-token>',
  '<response xmlns="DAV:">',
  '<response>',
  '<D:response/>',
  '<D:href/>',
  '<D:prop/>',
  '<D:propstat/>',
  '<E:response xmlns:E="DAV:">',
  '<D:resourcetype><D:collection/></D:resourcetype>',
  '<D:getcontentlength>12</D:getcontentlength>',
  '<D:getetag>"a"</D:getetag>',
  '<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>',
  '<D:creationdate>1994-11-06T08:49:37Z</D:creationdate>',
  '<D:constructor>',
  '<D:__proto__>',
  '<x:p a="1" b=\'2\'><x:q/>t</x:p>',
  '<D:lock-token-submitted><D:href>/a</D:href></D:lock-token-submitted>',
  ...DATES,
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 507 Insufficient Storage',
  '/docs/',
  '/docs/a%20b',
  '/docs/../x',
  '//evil.example/docs/',
  'http://localhost/docs/a',
  'https://u:p@evil.example/%2e%2E/a?b#c',
]

/** Marks of XML, and near misses. */
export const MARKS: readonly string[] = [
  [
    '<![CDATA[',
    ']]>',
    '<!--',
    '-->',
    '--',
    '<?',
    '?>',
    '<',
    '>',
    '</',
    '/>',
    '<!',
    ']]',
    ']',
    '?',
    '??>',
  ],
  ['&', ';', '&#', '&#x', '&amp;', '&lt;', '&#13;', '&#x41;', '&#0;', '&#xD800;', '&#x10FFFF;'],
  ['&nbsp;', '&#x000000000000000000000000000000000000000000000000000000000000000000041;'],
  ['"', "'", '=', ' ', '\t', '\r', '\r\n', '\n', ':', 'xml', '-', '/', '\\', '%', '%2', '%2F'],
  [' xmlns:D="DAV:"', ' xmlns=""', ' xmlns="DAV:"', ' xmlns:x="urn:x"', ' xmlns:D=""', ' D:a="1"'],
  [" xmlns:xml='x'", ' constructor="1"', ' __proto__="1"', ' a="1"', ' a="<"', " a='&amp;&#10;'"],
  '<?xml version="1.0"?>',
  '<?xml version="1.0" encoding="utf-8"?>',
  '<?xml version="1.0" encoding="windows-1252"?>',
  '<?xml version="1.0" encoding="iso-8859-7"?>',
  '<?xml version="1.0" encoding="utf-16"?>',
  '<?pi?>',
  '<?p a="?>',
  '<!DOCTYPE html>',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '<a:b:c/>',
  '<DAV:x/>',
  '<x: />',
].flat()

/** Byte-order marks, sequences that are broken in UTF-8 or UTF-16, and characters that XML forbids. */
export const BYTES: readonly string[] = [
  ['\xEF\xBB\xBF', '\xFF\xFE', '\xFE\xFF', '\xEF\xBF\xBE', '\xEF\xBF\xBD', '\0', '\x01', '\x0B'],
  ['\x80', '\xBF', '\xC0\x80', '\xC3', '\xC3\xA9', '\xE2\x82', '\xE2\x82\xAC', '\xED\xA0\x80'],
  ['\xF0\x9F\x98\x80', '\xF0\x9F', '\xF4\x90\x80\x80', '\xF8', '\xFF', '\xD2', '\xAE', '\x81'],
  ['\xD8\x3D', '\x3D\xD8', '\xDC\0', '\0\xDC', '\0<', '<\0', '\xC2\x85', '\xE2\x80\xA8', '\x7F'],
].flat()
