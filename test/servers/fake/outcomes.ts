/**
 * The outcomes of the scenario: those that RFC 4918 and RFC 9110 ask for, which the fake server has, and the others of real servers.
 */
import type {Outcomes} from './scenario.ts'

/** The outcomes by the standards. */
export const OUTCOMES: Outcomes = {
  'PUT of a new file': '201',
  'PUT over a file': '204',
  'PUT where nothing may be': '412 status',
  'PUT over another version': '412 status',
  'PUT below a missing collection': '409 status',
  'PUT of a name to be escaped': '201',
  GET: 'two',
  'GET of a range': '206 w',
  'GET of a range beyond the end': '416 status',
  'GET of a known version': '304 status',
  'GET of a missing file': '404 status',
  MKCOL: '201',
  'MKCOL of a collection that exists': '405 status',
  'MKCOL below a missing collection': '409 status',
  'PUT into a collection': '201',
  'MKCOL in a collection': '201',
  'PUT deeper': '201',
  'PROPFIND with Depth 0': 'c/',
  'PROPFIND with Depth 1': '/ 100% #1?.txt a.txt c/',
  'PROPFIND with Depth infinity': 'c/ c/1.txt c/d/ c/d/2.txt',
  'PROPFIND of a file with its properties': '2 bytes, types [] {urn:x}none: 404',
  'PROPFIND of a missing file': '404 status',
  PROPPATCH: '200, then value',
  'PROPPATCH of a protected property': 'false getetag: 403 {urn:x}q: 424',
  'COPY of a file': '201',
  'COPY over a file': '412 status',
  'COPY over a file, overwrite': '204',
  'COPY of a missing file': '404 status',
  'COPY below a missing collection': '409 status',
  'COPY of a collection': '201',
  'COPY of a collection with Depth 0': '201',
  'the copies': '/ 100% #1?.txt a.txt b.txt c/ c/1.txt c/d/ c/d/2.txt e/ e/1.txt e/d/ e/d/2.txt f/',
  'MOVE of a file': '201',
  'MOVE over a file': '412 status',
  'MOVE over a file, overwrite': '204',
  'MOVE of a missing file': '404 status',
  'MOVE of a collection': '201',
  'MOVE of a collection over one': '204',
  'the moved': '/ 100% #1?.txt a.txt c/ c/1.txt c/d/ c/d/2.txt h/',
  OPTIONS: 'classes 1 2',
  LOCK: '200, for some time: true',
  'LOCK of a locked file': '423 status',
  'PUT over a locked file by others': '423 status',
  'PUT over a locked file': '204',
  'DELETE of a locked file by others': '423 status',
  'MOVE of a locked file by others': '423 status',
  'DELETE of a collection with a locked member by others': '424 member c/d/2.txt: 423',
  'the rest of that collection': 'c/ c/d/ c/d/2.txt',
  refresh: '200',
  UNLOCK: '204',
  'PUT after UNLOCK by others': '204',
  'DELETE of another version': '412 status',
  'DELETE of a file': '204',
  'DELETE of a missing file': '404 status',
  'DELETE of a collection': '204',
  deleteMany: '100% #1?.txt: 204 h/: 204 none: 404',
  'the end': '/',
}

/** The outcomes of real servers that differ. */
export const DIFFERENCES: Readonly<Record<string, Outcomes>> = {
  // It deletes nothing of a collection with a locked member. RFC 4918, section 9.6.1, allows both.
  'Apache 2.4 with DavDepthInfinity': {
    'PROPPATCH of a protected property': 'false getetag: 409 {urn:x}q: 424',
    'the rest of that collection': 'c/ c/1.txt c/d/ c/d/2.txt',
  },
  // It makes missing collections and ignores conditions, Depth 0 and the locks of members. It has no dead properties. Its
  // listings have no ETags. The file that a DELETE should have kept is missing later on.
  'nginx with dav-ext': {
    'COPY below a missing collection': '204',
    'COPY of a file': '204',
    'DELETE of a collection with a locked member by others': '204',
    'DELETE of a file': '404 status',
    'DELETE of another version': '204',
    GET: 'no',
    'GET of a known version': 'no ETag',
    'GET of a range': '206 o',
    'MKCOL below a missing collection': '201',
    'MOVE of a collection over one': '201',
    'MOVE of a file': '204',
    OPTIONS: 'classes 2',
    'PROPFIND of a file with its properties': '2 bytes, types []',
    'PROPFIND with Depth 1': '/ 100% #1?.txt a.txt c/ none/',
    PROPPATCH: '405 status, then undefined',
    'PROPPATCH of a protected property': 'false',
    'PUT after UNLOCK by others': '201',
    'PUT below a missing collection': '201',
    'PUT over another version': '204',
    'PUT where nothing may be': '204',
    deleteMany: '100% #1?.txt: 204 h/: 204 none: 409',
    'the copies':
      '/ 100% #1?.txt a.txt b.txt c/ c/1.txt c/d/ c/d/2.txt e/ e/1.txt e/d/ e/d/2.txt f/ f/1.txt f/d/ f/d/2.txt none/ none/a.txt none/c/ none/e.txt',
    'the end': '/ none/ none/a.txt none/c/ none/e.txt',
    'the moved':
      '/ 100% #1?.txt a.txt c/ c/1.txt c/d/ c/d/2.txt h/ h/1.txt h/d/ h/d/2.txt none/ none/a.txt none/c/ none/e.txt',
    'the rest of that collection': 'PROPFIND c/ (Depth: 1) answered 404',
  },
  // It names the collection around a locked member too, with a status of its own.
  nephele: {
    'COPY below a missing collection': '404 status',
    'DELETE of a collection with a locked member by others': '424 member c/d/2.txt: 423 c/d/: 500',
  },
  // It refuses the DELETE of a collection with a locked member as a whole, and ignores the Depth of a COPY. As it is set up
  // here, it has no dead properties, and its listings have no ETags.
  'SabreDAV 1.8': {
    'DELETE of a collection with a locked member by others': '423 status',
    'GET of a known version': 'no ETag',
    PROPPATCH: '403 propstat, then undefined',
    'PUT below a missing collection': '404 status',
    'the copies':
      '/ 100% #1?.txt a.txt b.txt c/ c/1.txt c/d/ c/d/2.txt e/ e/1.txt e/d/ e/d/2.txt f/ f/1.txt f/d/ f/d/2.txt',
    'the moved': '/ 100% #1?.txt a.txt c/ c/1.txt c/d/ c/d/2.txt h/ h/1.txt h/d/ h/d/2.txt',
    'the rest of that collection': 'c/ c/1.txt c/d/ c/d/2.txt',
  },
}
