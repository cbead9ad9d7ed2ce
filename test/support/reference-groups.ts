// Groups the names of the reference by task, and its pages by guide and project. The file of a name decides, so a new name has its
// group by its place. A name without one ends `npm run docs`. Pages are named by their headings, and entry points as they are
// imported. typedoc loads this file as a plugin.

import {relative} from 'node:path'
import {fileURLToPath} from 'node:url'

import {
  type Application,
  Comment,
  CommentTag,
  Converter,
  type DeclarationReflection,
  ReflectionKind,
} from 'typedoc'

const root = fileURLToPath(new URL('../../src/', import.meta.url))
const CLIENT = 'client/dav-client.ts'

/** The groups; `groupOrder` in typedoc.json has their order. Of the files and folders that fit a name, the longest counts; `#` is before a member of the client. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Client: ['client/', 'call/request.ts', 'call/capabilities.ts', 'verbs/options.ts'],
  Listing: ['listing/', 'protocol/depth.ts', ...methods('propfind', 'walk', 'stat', 'exists')],
  Downloading: [
    'verbs/get.ts',
    'transfer/download.ts',
    'protocol/byte-range.ts',
    ...methods('get', 'download'),
  ],
  Uploading: ['verbs/put.ts', 'transfer/', ...methods('put', 'putMany')],
  'Copying and moving': [
    'verbs/copy.ts',
    'verbs/move.ts',
    'verbs/two-ends.ts',
    ...methods('copy', 'copyMany', 'move', 'moveMany'),
  ],
  'Deleting and retrying': [
    'verbs/delete.ts',
    'retry/',
    'engine/',
    'call/conditions.ts',
    ...methods('delete', 'deleteMany', 'retry'),
  ],
  'Collections and properties': [
    'verbs/mkcol.ts',
    'verbs/proppatch.ts',
    'properties/',
    'xml/',
    ...methods('mkcol', 'proppatch'),
  ],
  Locks: [
    'verbs/lock.ts',
    'verbs/own-lock.ts',
    'verbs/unlock.ts',
    'call/lock-store.ts',
    'properties/locks.ts',
    'protocol/if-header.ts',
    ...methods('lock', 'locks', 'unlock'),
  ],
  'Reports, searches and syncs': [
    'listing/report.ts',
    'listing/search.ts',
    'engine/multiget.ts',
    'properties/expand-property.ts',
    'sync/',
    ...methods('report', 'multiget', 'search', 'sync'),
  ],
  'Calendars and address books': [
    'client/discover.ts',
    'client/discovery.ts',
    'properties/acl.ts',
    'properties/addressbook.ts',
    'properties/calendar.ts',
    'properties/kinds.ts',
    'properties/principal.ts',
  ],
  Results: ['multistatus/'],
  Errors: [
    'auth/auth-error.ts',
    'protocol/errors.ts',
    'protocol/challenge.ts',
    'multistatus/failure-error.ts',
  ],
  'Targets and paths': [
    'call/target.ts',
    'protocol/href.ts',
    'protocol/local-path.ts',
    'protocol/path.ts',
  ],
  Parser: ['multistatus/parser.ts', 'multistatus/parse.ts', 'multistatus/source.ts'],
  Authentication: ['auth/'],
  Transports: ['transport/'],
  'Long jobs': ['jobs/'],
  Testing: ['testing/'],
}

/** Called by typedoc when it starts. */
export function load(app: Application): void {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, page) => {
    const heading = /^# (.*)$/m.exec(Comment.combineDisplayParts(page.content))?.[1]
    page.frontmatter['group'] = page.name.includes('guide/') ? 'Guide' : 'Project'
    if (heading !== undefined) page.name = heading
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const door of context.project.getReflectionsByKind(ReflectionKind.Module))
      door.name = door.name === 'index' ? 'multistatus' : `multistatus/${door.name}`
    for (const name of Object.values(context.project.reflections)) {
      if (!name.isDeclaration() || name.isReference() || !isShown(name)) continue
      const [declaration] = context.getSymbolFromReflection(name)?.declarations ?? []
      if (declaration === undefined) continue
      const file = relative(root, declaration.getSourceFile().fileName)
      const place = file === CLIENT && isMember(name) ? `${file}#${name.name}` : file
      const group = groupOf(place)
      if (group === undefined) app.logger.error(`${place} has no group`)
      else mark(name, group)
    }
  })
}

/** Tests if a name has a line in the index of an entry point or of the client. */
function isShown(name: DeclarationReflection): boolean {
  return name.parent?.parent?.isProject() === true || isMember(name)
}

function isMember(name: DeclarationReflection): boolean {
  return name.parent?.name === 'DavClient'
}

function groupOf(place: string): string | undefined {
  let [group, longest]: [string | undefined, number] = [undefined, 0]
  for (const [title, starts] of Object.entries(GROUPS))
    for (const start of starts)
      if (place.startsWith(start) && start.length > longest)
        [group, longest] = [title, start.length]
  return group
}

function mark(name: DeclarationReflection, group: string): void {
  const holder = name.signatures?.[0] ?? name
  holder.comment ??= new Comment()
  holder.comment.blockTags.push(new CommentTag('@group', [{kind: 'text', text: group}]))
}

function methods(...names: readonly string[]): readonly string[] {
  return names.map((name) => `${CLIENT}#${name}`)
}
