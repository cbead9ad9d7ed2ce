// The scenarios with Apache, nginx and nephele. Each works in a collection of its own.

import {type DavClient, encodePath, nameOf} from 'multistatus'

import {
  clientOf,
  line,
  open,
  pieces,
  type Place,
  type Scenario,
  streamOf,
  TEXT,
  told,
} from './scenario.ts'

const SERVERS = ['apache', 'nginx', 'nephele'] as const
type ServerName = (typeof SERVERS)[number]

/** Makes a new collection of the run. Returns a client in it. */
async function makeCollection(place: Place, server: ServerName, path: string): Promise<DavClient> {
  const root = clientOf(place, place.servers[server])
  const made = await root.mkcol(`${place.runtime}/${path}`, {parents: true})
  if (!made.ok) throw new Error(`MKCOL ${made.url} answered ${made.status}`)
  return open(place, server, path)
}

/** Stores files of these names, each with its name as text. A name with a slash at its end is a collection. */
async function fill(dav: DavClient, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const href = encodePath(name)
    const made = name.endsWith('/') ? await dav.mkcol(href) : await dav.put(href, name)
    if (!made.ok) throw new Error(`${made.url} was answered with ${made.status}`)
  }
}

/** The sorted names of the members of a collection. */
async function namesIn(dav: DavClient): Promise<readonly string[]> {
  const {successes} = await dav.propfind('').collect()
  return successes
    .filter(({relation}) => relation === 'member')
    .map((result) => nameOf(result))
    .toSorted()
}

/** Reads a file as text. */
async function textOf(dav: DavClient, href: string): Promise<string> {
  const read = await dav.get(href)
  return read.ok ? read.text() : `${read.status}`
}

/** Apache escapes in lower case. */
const escaped = (server: ServerName): string =>
  server === 'apache' ? '%c3%a9%20100%25' : '%C3%A9%20100%25'

/** nginx answers a COPY to a new name with 204. */
const copied = (server: ServerName): number => (server === 'nginx' ? 204 : 201)

const LOCKED = 'status 423 self /NAME/locked 1'

function scenariosOf(server: ServerName): readonly Scenario[] {
  return [
    {
      feature: 'listing',
      title: `${server}: a listing names each member`,
      async run(place) {
        const dav = await makeCollection(place, server, 'listing/')
        await fill(dav, 'a', 'é 100%', 'below/')
        const listing = dav.propfind('')
        const lines = await told(place, listing)
        const {complete, requests} = await listing.summary
        return [...lines, complete, requests]
      },
      expected: [
        `ok 200 member /listing/${escaped(server)} 1`,
        'ok 200 member /listing/a 1',
        'ok 200 member /listing/below/ 1',
        'ok 200 self /listing/ 1',
        true,
        1,
      ],
    },
    {
      feature: 'walk',
      title: `${server}: a walk lists each collection by itself`,
      async run(place) {
        const dav = await makeCollection(place, server, 'walk/')
        await fill(dav, 'a', 'b/', 'b/c', 'b/d/', 'b/d/e')
        const {successes, failures, summary} = await dav.walk('').collect()
        const names = successes.map((result) => line(place, result))
        return [...names.toSorted(), failures.length, summary.complete, summary.requests]
      },
      expected: [
        'ok 200 descendant /walk/b/c 1',
        'ok 200 descendant /walk/b/d/ 1',
        'ok 200 descendant /walk/b/d/e 1',
        'ok 200 member /walk/a 1',
        'ok 200 member /walk/b/ 1',
        'ok 200 self /walk/ 1',
        0,
        true,
        3,
      ],
    },
    {
      feature: 'bulk delete',
      title: `${server}: each of many targets has its verdict`,
      async run(place) {
        const dav = await makeCollection(place, server, 'bulk/')
        await fill(dav, 'a', 'b', 'below/', 'below/c', 'locked')
        const lock = await open(place, server, 'bulk/').lock('locked')
        const lines = await told(place, dav.deleteMany(['a', 'b', 'below/', 'locked', 'missing']))
        return [lock.ok, ...lines, ...(await namesIn(dav))]
      },
      expected: [
        true,
        'ok 204 self /bulk/a 1',
        'ok 204 self /bulk/b 1',
        'ok 204 self /bulk/below/ 1',
        'status 404 self /bulk/missing 1',
        LOCKED.replace('NAME', 'bulk'),
        'locked',
      ],
    },
    {
      feature: 'retry',
      title: `${server}: a failure is retried, and the rest is not`,
      async run(place) {
        const dav = await makeCollection(place, server, 'retry/')
        await fill(dav, 'a', 'locked')
        const lock = await open(place, server, 'retry/').lock('locked')
        const {successes, failures} = await dav.deleteMany(['a', 'locked']).collect()
        const before = [...successes, ...failures].map((result) => line(place, result))
        const unlocked = lock.ok && (await lock.unlock()).ok
        return [
          ...before,
          unlocked,
          ...(await told(place, dav.retry(failures))),
          await namesIn(dav),
        ]
      },
      expected: [
        'ok 204 self /retry/a 1',
        LOCKED.replace('NAME', 'retry'),
        true,
        'ok 204 self /retry/locked 2',
        [],
      ],
    },
    {
      feature: 'get',
      title: `${server}: a file is read, as a whole and in part`,
      async run(place) {
        const dav = await makeCollection(place, server, 'get/')
        await dav.put('a', TEXT)
        const whole = await dav.get('a')
        const part = await dav.get('a', {range: {start: 0, end: 1}})
        const missing = await dav.get('missing')
        return [
          whole.ok && [whole.length, await whole.text()],
          part.ok && [part.status, await part.text()],
          line(place, missing),
        ]
      },
      expected: [[12, TEXT], [206, 'Gr'], 'status 404 self /get/missing 1'],
    },
    {
      feature: 'put',
      title: `${server}: a text, bytes, a Blob and streams are stored as they are`,
      async run(place) {
        const dav = await makeCollection(place, server, 'put/')
        const bytes = new TextEncoder().encode(TEXT)
        const verdicts = [
          await dav.put('text', TEXT),
          await dav.put('bytes', bytes),
          await dav.put('blob', new Blob([TEXT])),
          await dav.put('spooled', pieces()),
          await dav.put('stream', streamOf(pieces()), {length: bytes.length}),
          await dav.put('text', 'again'),
        ]
        const texts = []
        for (const name of await namesIn(dav)) texts.push(await textOf(dav, name))
        return [...verdicts.map((verdict) => line(place, verdict)), ...texts]
      },
      expected: [
        ...['text', 'bytes', 'blob', 'spooled', 'stream'].map(
          (name) => `ok 201 self /put/${name} 1`,
        ),
        'ok 204 self /put/text 1',
        TEXT,
        TEXT,
        TEXT,
        TEXT,
        'again',
      ],
    },
    {
      feature: 'copy and move',
      title: `${server}: a copy and a move keep what is there`,
      async run(place) {
        const dav = await makeCollection(place, server, 'copy/')
        await fill(dav, 'a', 'below/', 'below/b')
        const verdicts = [
          await dav.copy('a', 'copied'),
          await dav.copy('a', 'below/b'),
          await dav.copy('below/', 'tree/'),
          await dav.move('a', 'moved'),
          await dav.move('copied', 'below/b', {overwrite: true}),
        ]
        return [
          ...verdicts.map((verdict) => line(place, verdict)),
          await namesIn(dav),
          await textOf(dav, 'below/b'),
          await textOf(dav, 'tree/b'),
        ]
      },
      expected: [
        `ok ${copied(server)} self /copy/a 1`,
        'status 412 self /copy/a 1',
        'ok 201 self /copy/below/ 1',
        `ok ${copied(server)} self /copy/a 1`,
        'ok 204 self /copy/copied 1',
        ['below', 'moved', 'tree'],
        'a',
        'below/b',
      ],
    },
    {
      feature: 'lock',
      title: `${server}: a lock keeps others out until it ends`,
      async run(place) {
        const dav = await makeCollection(place, server, 'lock/')
        await fill(dav, 'a')
        const other = open(place, server, 'lock/')
        const lock = await dav.lock('a', {timeout: 60_000})
        if (!lock.ok) return line(place, lock)
        const verdicts = [
          await other.put('a', 'other'),
          await dav.put('a', 'own'),
          await lock.refresh(),
          await lock.unlock(),
          await other.put('a', 'later'),
        ]
        return [...verdicts.map((verdict) => line(place, verdict)), await textOf(dav, 'a')]
      },
      expected: [
        'status 423 self /lock/a 1',
        'ok 204 self /lock/a 1',
        'ok 200 self /lock/a 1',
        'ok 204 self /lock/a 1',
        'ok 204 self /lock/a 1',
        'later',
      ],
    },
    {
      feature: 'abort',
      title: `${server}: an aborted bulk call leaves the rest alone`,
      async run(place) {
        const dav = await makeCollection(place, server, 'abort/')
        await fill(dav, 'a', 'b', 'c')
        const controller = new AbortController()
        const {signal} = controller
        const lines: string[] = []
        const stream = dav.deleteMany(['a', 'b', 'c'], {signal, concurrency: 1})
        try {
          for await (const result of stream) {
            lines.push(line(place, result))
            controller.abort('enough')
          }
        } catch (error) {
          lines.push(`thrown ${String(error)}`)
        }
        return [...lines, (await namesIn(dav)).includes('c')]
      },
      expected: [
        'ok 204 self /abort/a 1',
        'no-answer 0 self /abort/b 0',
        'no-answer 0 self /abort/c 0',
        'thrown enough',
        true,
      ],
    },
    {
      feature: '`break`',
      title: `${server}: a listing that is left early leaves a usable client`,
      async run(place) {
        const dav = await makeCollection(place, server, 'break/')
        await fill(dav, 'a', 'b', 'c')
        let seen = 0
        for await (const _ of dav.propfind('')) {
          seen++
          break
        }
        return [seen, await namesIn(dav)]
      },
      expected: [1, ['a', 'b', 'c']],
    },
  ]
}

export const serverScenarios: readonly Scenario[] = SERVERS.flatMap(scenariosOf)
