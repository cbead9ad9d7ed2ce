/**
 * Listings by real servers, compared with their disks: names with a special meaning in a URL or in XML, sizes, types,
 * dates and ETags. They cover each Depth and a long listing that is read while it arrives.
 */
import {once} from 'node:events'
import {mkdir, utimes, writeFile} from 'node:fs/promises'
import {request} from 'node:http'
import {join} from 'node:path'
import {
  DavClient,
  decodePath,
  encodePath,
  isSuccess,
  MultiStatusError,
  type Success,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {nginx} from './nginx.ts'
import {rclone} from './rclone.ts'
import {servers} from './servers.ts'
import {giveToServer} from './support/account.ts'
import {readCollection} from './support/disk.ts'
import {pathBelow} from './support/results.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection, makeNastyCollection, nastyNames, numbered} from './support/trees.ts'
import {counted, transports} from './support/transports.ts'

const properties = ['resourcetype', 'getcontentlength', 'getlastmodified', 'getetag'] as const

describeServers(servers, (server) => {
  it.for(transports)('Depth 1 lists every name on the disk, over %s', async ([name, transport]) => {
    const collection = `one-${name}`
    const folder = await makeNastyCollection(server, collection)
    const dav = new DavClient({url: server.url(collection), transport: transport()})

    for (const of of ['files', 'collections']) {
      const {successes, failures, summary} = await dav
        .propfind(`${of}/`, {depth: 1, properties})
        .collect()

      expect(failures).toEqual([])
      expect(summary).toMatchObject({complete: true, incomplete: [], failures: 0, requests: 1})
      expect(successes.filter(({relation}) => relation === 'self')).toMatchObject([
        {
          url: `${server.url(collection)}${of}/`,
          status: 200,
          properties: {resourcetype: ['collection']},
        },
      ])
      const members = successes.filter(({relation}) => relation !== 'self')
      expect(new Set(members.map(({relation}) => relation))).toEqual(new Set(['member']))
      expect(sizesByPath(`${collection}/${of}`, members)).toEqual(
        new Map(
          nastyNames
            .map((member, index) => [member, of === 'files' ? index : 'collection'] as const)
            .filter(([member]) => server.traits.dotNames || !member.startsWith('.'))
            .map(([member, size]) => [server.traits.nameOf(member), size]),
        ),
      )
    }
    expect((await readCollection(folder)).size).toBe(3 * nastyNames.length + 2)
  })

  it('Depth 0 is the resource alone, for every name', async () => {
    const folder = await makeNastyCollection(server, 'zero')
    const dav = new DavClient({url: server.url('zero'), transport: undiciTransport()})
    await utimes(join(folder, 'files', '100% sure'), 0, Date.UTC(2001, 1, 3, 4, 5, 6) / 1000)

    for (const [index, onDisk] of nastyNames.entries()) {
      const name = server.traits.nameOf(onDisk)
      if (server.traits.refusal(name) !== undefined) continue
      const result = await dav.stat(encodePath(`files/${name}`), {properties})
      expect(result).toMatchObject({
        ok: true,
        relation: 'self',
        properties: {resourcetype: [], getcontentlength: index},
      })
      expect(decodePath(result)).toBe(`/zero/files/${name}`)
    }
    const asked = [...properties, '{urn:example}colour'] as const
    const unknown = server.traits.etag === undefined ? asked.slice(-2) : asked.slice(-1)
    const missing = server.traits.unknownProperties === 'named' ? unknown : []
    expect(await dav.stat(encodePath('files/100% sure'), {properties: asked})).toEqual({
      ok: true,
      href:
        server.traits.hrefs === 'path'
          ? '/zero/files/100%25%20sure'
          : `${server.url('zero')}files/100%25%20sure`,
      url: `${server.url('zero')}files/100%25%20sure`,
      relation: 'self',
      status: 200,
      properties: {
        resourcetype: [],
        getcontentlength: 3,
        getlastmodified: new Date('2001-02-03T04:05:06Z'),
        ...(server.traits.etag !== undefined && {getetag: server.traits.etag}),
      },
      missing: missing.map((name) => expect.objectContaining({name, status: 404, conditions: []})),
    })
  })

  it('a name that the server lists but does not find is a Failure with its status', async () => {
    await makeNastyCollection(server, 'refused')
    const dav = new DavClient({url: server.url('refused'), transport: undiciTransport()})

    for (const name of nastyNames) {
      const status = server.traits.refusal(name)
      if (status === undefined) continue
      expect(await dav.stat(encodePath(`files/${name}`), {properties})).toMatchObject({
        ok: false,
        status,
      })
    }
  })

  it('a missing resource is a Failure 404', async () => {
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})

    expect(await dav.stat('nowhere.txt')).toMatchObject({
      ok: false,
      url: `${server.url()}nowhere.txt`,
      relation: 'self',
      status: 404,
      reason: 'status',
    })
    expect(await dav.exists('nowhere.txt')).toBe(false)
  })

  if (server.traits.infinity === 'answered' && server.traits.mostCollections === undefined)
    it('Depth infinity lists the whole tree on the disk', async () => {
      const folder = await makeNastyCollection(server, 'tree')
      const dav = new DavClient({url: server.url(), transport: undiciTransport()})

      const {successes, failures, summary} = await dav
        .propfind('tree/', {depth: 'infinity', properties})
        .collect()

      expect(failures).toEqual([])
      expect(summary).toMatchObject({complete: true, incomplete: [], requests: 1})
      const [self, ...below] = successes
      expect(self).toMatchObject({relation: 'self', url: server.url('tree')})
      expect(sizesByPath('tree', below)).toEqual(
        new Map(
          [...(await readCollection(folder))].map(([path, size]) => [
            path
              .split('/')
              .map((name) => server.traits.nameOf(name))
              .join('/'),
            size,
          ]),
        ),
      )
      expect(
        below
          .filter(({relation}) => relation === 'member')
          .map((result) => pathBelow('tree', result)),
      ).toEqual(expect.arrayContaining(['files', 'collections']))
      expect(new Set(below.map(({relation}) => relation))).toEqual(
        new Set(['member', 'descendant']),
      )
    })

  if (server.traits.otherBytes)
    it('a name that is not UTF-8 keeps its bytes in the URL, which finds it again', async () => {
      const folder = join(server.root, 'latin')
      await mkdir(folder)
      await writeFile(Buffer.from(`${folder}/caf\xE9`, 'latin1'), 'noir')
      await giveToServer(folder)
      const dav = new DavClient({url: server.url('latin'), transport: undiciTransport()})

      const {successes} = await dav.propfind('', {depth: 1, properties}).collect()
      const members = successes.filter(({relation}) => relation === 'member')

      expect(members).toMatchObject([
        {url: expect.stringMatching(/\/latin\/caf%e9$/i), properties: {getcontentlength: 4}},
      ])
      for (const member of members) {
        expect(await dav.stat(member, {properties})).toMatchObject({
          ok: true,
          url: member.url,
          relation: 'self',
          properties: {getcontentlength: 4},
        })
      }
    })

  it('an empty collection has one result, itself', async () => {
    await makeCollection(server, 'empty', [])
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})

    const {successes, summary} = await dav.propfind('empty/', {depth: 1, properties}).collect()

    expect(successes).toMatchObject([
      {relation: 'self', properties: {resourcetype: ['collection']}},
    ])
    expect(summary).toMatchObject({complete: true, successes: 1, failures: 0})
  })

  // Without its cache of folders, rclone reads a folder once for each of its members.
  if (server.recipe !== rclone)
    it.for(transports)(
      'a listing of 5,000 files is delivered while it arrives, over %s',
      async ([name, transport]) => {
        const folder = await makeCollection(server, `many-${name}`, numbered(5000))
        const read = {bytes: 0}
        const dav = new DavClient({url: server.url(), transport: counted(transport(), read)})

        const members: Success[] = []
        let bytesAtFirst = 0
        const results = dav.propfind(`many-${name}/`, {depth: 1, properties})
        for await (const result of results) {
          if (bytesAtFirst === 0) bytesAtFirst = read.bytes
          if (isSuccess(result) && result.relation === 'member') members.push(result)
        }

        expect(sizesByPath(`many-${name}`, members)).toEqual(await readCollection(folder))
        expect(await results.summary).toMatchObject({
          complete: true,
          successes: 5001,
          failures: 0,
          requests: 1,
        })
        expect(bytesAtFirst).toBeLessThan(300_000)
        expect(read.bytes).toBeGreaterThan(1_000_000)
      },
    )
})

describeServers([nginx], (server) => {
  it('a control character in a displayname is not well-formed: an error, or one Failure among successes', async () => {
    const folder = await makeCollection(server, 'raw', ['1.txt', 'bell\u0007.txt', 'tab\t.txt'])
    expect((await readCollection(folder)).size).toBe(3)
    const asked = {depth: 1, properties: ['displayname']} as const
    const strict = new DavClient({url: server.url(), transport: undiciTransport()})
    const lenient = new DavClient({
      url: server.url(),
      transport: undiciTransport(),
      malformed: 'skip',
    })

    const error = await strict
      .propfind('raw/', asked)
      .collect()
      .catch((thrown: unknown) => thrown)
    const {successes, failures, summary} = await lenient.propfind('raw/', asked).collect()

    expect(error).toBeInstanceOf(MultiStatusError)
    expect(error).toMatchObject({reason: 'not-well-formed'})
    expect(successes.map((result) => pathBelow('raw', result)).toSorted()).toEqual([
      '',
      '1.txt',
      'tab\t.txt',
    ])
    expect(failures).toMatchObject([
      {
        url: `${server.url('raw')}bell%07.txt`,
        relation: 'member',
        status: 0,
        reason: 'malformed',
      },
    ])
    expect(summary).toMatchObject({complete: false, incomplete: [{reason: 'malformed'}]})
  })
})

// rclone ends the listing in front of a new file that is uploaded, with a whole Multi-Status document and words behind it.
describeServers([rclone], (server) => {
  it('a listing beside an upload is never complete', async () => {
    await makeCollection(server, 'beside', numbered(6))
    const upload = request(server.url('beside/1-new.bin'), {
      method: 'PUT',
      headers: {'content-length': '20'},
    })
    const ended = once(upload, 'response')
    await new Promise((resolve) => upload.write('0123456789', resolve))
    const dav = new DavClient({url: server.url(''), transport: undiciTransport()})
    for (const depth of [1, 'infinity'] as const)
      await expect(dav.propfind('beside/', {depth}).collect()).rejects.toThrow(MultiStatusError)
    const skipping = new DavClient({url: server.url(''), malformed: 'skip'})
    const {summary} = await skipping.propfind('beside/').collect()
    expect(summary).toMatchObject({complete: false, incomplete: [{reason: 'malformed'}]})
    upload.end('0123456789')
    await ended
    const {successes, summary: whole} = await dav.propfind('beside/').collect()
    expect([successes.length, whole.complete]).toEqual([8, true])
  }, 60_000)
})

/** Maps the path of each result to its size or type, as `readCollection` does for the disk. */
function sizesByPath(
  collection: string,
  results: readonly Success<{resourcetype?: readonly string[]; getcontentlength?: number}>[],
): Map<string, number | 'collection' | undefined> {
  const sizes = new Map<string, number | 'collection' | undefined>()
  for (const result of results) {
    const path = pathBelow(collection, result)
    if (sizes.has(path)) throw new Error(`two results for ${result.url}`)
    const {resourcetype, getcontentlength} = result.properties
    sizes.set(path, resourcetype?.includes('collection') === true ? 'collection' : getcontentlength)
  }
  return sizes
}
