/** Facts about jobs that list a tree. */

import type {Transport} from 'multistatus'
import {createJob, retryJob, runJob} from 'multistatus/jobs'
import {multistatusBody, type MultiStatusResponse} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

import {
  clientOf,
  fill,
  linesOf,
  ONCE,
  sentTo,
  SOON,
  type Using,
  verdictsOf,
} from '../support/bench.ts'

export function describeListing(using: Using): void {
  describe('a list', () => {
    it(
      'has a line for each resource with its properties and its relation to the root',
      using(async ({ledger, server, dav}) => {
        for (const path of ['a/1', 'a/b/2', 'a/b/c/3', 'a/caf\u00E9 100%.txt'])
          server.put(path, path)
        server.put('a/empty/')
        server.put('other/4', 'x')
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', unitSize: 1}, dav)
        const report = await runJob(ledger, job, dav)

        const lines = await linesOf(ledger, job)
        const shown = new Map(
          lines.map(({url, ...line}) => [decodeURIComponent(url.slice(server.url.length)), line]),
        )
        expect([...shown.keys()].toSorted()).toEqual(['a/', ...server.list('a')].toSorted())
        expect(shown.size).toBe(lines.length)
        for (const [path, line] of shown) {
          const resource = server.get(path)
          expect(line).toMatchObject({ok: true, status: 200, missing: []})
          const types = resource?.isCollection === true ? ['collection'] : []
          expect(line).toMatchObject({properties: {resourcetype: types}})
          const {etag = '', content} = resource ?? {}
          const properties = etag === '' ? {} : {getetag: etag, getcontentlength: content?.length}
          expect(line).toMatchObject({properties})
        }
        const relations = Object.fromEntries(
          [...shown].map(([path, line]) => [path, line.relation]),
        )
        expect(relations).toEqual({
          'a/': 'self',
          'a/1': 'member',
          'a/b/': 'member',
          'a/b/2': 'descendant',
          'a/b/c/': 'descendant',
          'a/b/c/3': 'descendant',
          'a/caf\u00E9 100%.txt': 'member',
          'a/empty/': 'member',
        })
        expect(report).toMatchObject({complete: true, resources: 8, listings: 4, requests: 4})
        expect(report.incomplete).toEqual([])
        expect(report).not.toHaveProperty('total')
        expect(await linesOf(ledger, job, {failuresOnly: true})).toEqual([])
      }),
    )

    it(
      'asks for the properties that it is told',
      using(async ({ledger, server, dav}) => {
        server.put('a/1', 'x', {properties: {'{urn:x}mood': 'good'}})
        server.put('a/b/2', 'x')
        const properties = ['{urn:x}mood']
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', properties}, dav)
        await runJob(ledger, job, dav)

        const lines = await linesOf(ledger, job)
        const shown = lines.find(({href}) => href === '/a/1')
        expect(shown).toMatchObject({properties: {'{urn:x}mood': expect.stringContaining('good')}})
        expect(lines.map(({href}) => href).toSorted()).toEqual(['/a/', '/a/1', '/a/b/', '/a/b/2'])
      }),
    )

    it.for([
      ['refused with 403', {status: 403}],
      ['answered 500', {status: 500}],
      ['cut in its body', {cut: 0.5}],
      ['without an answer', {reset: true}],
    ] as const)('is not whole with a collection %s, and whole after a retry', ([, rule]) =>
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/', 3)
        fill(server, 'a/b/', 3)
        fill(server, 'a/b/c/', 3)
        fill(server, 'a/d/', 3)
        const fault = server.fault({method: 'PROPFIND', path: 'a/b', ...rule})
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({state: 'done', complete: false})
        const status = 'status' in rule ? rule.status : 0
        const description = expect.stringContaining(`PROPFIND ${server.url}a/b/ `)
        expect(report.incomplete).toEqual([
          {href: `${server.url}a/b/`, reason: 'failed', status, description},
        ])
        expect(await linesOf(ledger, job, {failuresOnly: true})).toMatchObject([
          {ok: false, href: '/a/b/', status, request: {method: 'PROPFIND', attempts: 1}},
        ])
        const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
        expect(hrefs).toEqual(expect.arrayContaining(['/a/', '/a/0', '/a/d/2']))

        fault.remove()
        expect(await retryJob(ledger, job)).toBe(1)
        const again = await runJob(ledger, job, dav)

        expect(again).toMatchObject({complete: true, incomplete: [], resources: 16, listings: 4})
        const whole = Object.keys(await verdictsOf(ledger, job)).toSorted()
        expect(whole).toEqual(['/a/', ...server.list('a').map((path) => `/${path}`)].toSorted())
      })(),
    )

    it(
      'has no gap for a collection that was removed meanwhile, and none of its lines',
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/b/', 3)
        fill(server, 'a/c/', 3)
        fill(server, 'a/d/', 3)
        const fault = server.fault({method: 'PROPFIND', path: 'a/b', status: 403})
        const meanwhile = (): void => server.remove('a/c/')
        server.fault({method: 'PROPFIND', path: 'a/c', meanwhile, times: 1})
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({resources: 6, incomplete: [{href: `${server.url}a/b/`}]})

        fault.remove()
        server.remove('a/b/')
        expect(await retryJob(ledger, job)).toBe(1)
        const again = await runJob(ledger, job, dav)
        expect(again).toMatchObject({complete: true, incomplete: [], resources: 5, listings: 2})
        const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
        expect(hrefs.toSorted()).toEqual(['/a/', '/a/d/', '/a/d/0', '/a/d/1', '/a/d/2'])
      }),
    )

    it.for([
      {removed: 'a/b/c/', added: '', left: ['/a/', '/a/b/', '/a/b/0', '/a/b/1', '/a/b/2']},
      {
        removed: 'a/b/c/',
        added: 'a/b/c',
        left: ['/a/', '/a/b/', '/a/b/0', '/a/b/1', '/a/b/2', '/a/b/c'],
      },
      {removed: 'a/b/', added: '', left: ['/a/']},
    ])(
      'keeps no line below a member of a broken listing, if $removed was removed before the next one',
      ({removed, added, left}) =>
        using(async ({ledger, server, dav}) => {
          // The first member of the listing.
          fill(server, 'a/b/c/d/', 3)
          fill(server, 'a/b/', 3)
          server.fault({method: 'PROPFIND', path: 'a/b', cut: 0.98, times: 1})
          const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
          const report = await runJob(ledger, job, dav)
          // The member was listed as a whole.
          expect(report).toMatchObject({complete: false, listings: 4})
          const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
          expect(hrefs).toContain('/a/b/c/d/2')

          server.remove(removed)
          if (added !== '') server.put(added, 'a file now')
          expect(await retryJob(ledger, job)).toBe(1)
          const again = await runJob(ledger, job, dav)
          expect(again).toMatchObject({complete: true, incomplete: [], resources: left.length})
          const lines = (await linesOf(ledger, job)).map(({href}) => href)
          expect(lines.toSorted()).toEqual(left)
        })(),
    )

    it(
      'names a gap by its whole URL, at any length',
      using(async ({ledger, server, dav}) => {
        const deep = `a/${Array.from({length: 13}, () => 'd'.repeat(200)).join('/')}/`
        for (const path of [deep, `a/${'n'.repeat(2500)}/`]) {
          server.put(`${path}gap/1`, 'x')
          server.fault({method: 'PROPFIND', path: `${path}gap`, status: 403})
          const job = await createJob(ledger, {kind: 'list', tree: path, retry: ONCE}, dav)
          const report = await runJob(ledger, job, dav)
          expect(report.incomplete).toMatchObject([{href: `${server.url}${path}gap/`, status: 403}])
        }
      }),
    )

    it(
      'has a gap for a collection that is there, although its listing is 404',
      using(async ({ledger, server, dav: {url}}) => {
        fill(server, 'a/b/', 3)
        const dav = clientOf({
          url,
          async transport(request) {
            const isListing = request.url.endsWith('/a/b/') && request.headers['depth'] === '1'
            return isListing ? new Response(null, {status: 404}) : server.transport(request)
          },
        })
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({complete: false, incomplete: [{status: 404}], resources: 2})
        expect(await retryJob(ledger, job)).toBe(1)
      }),
    )

    it(
      'lists a collection that was away while its parent is listed again',
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/b/', 3)
        fill(server, 'a/c/', 3)
        // The listing of the root has a gap, so that it is listed again later.
        server.fault({method: 'PROPFIND', path: 'a', cut: 0.95, times: 1})
        const meanwhile = (): void => server.remove('a/b/')
        server.fault({method: 'PROPFIND', path: 'a/b', meanwhile, times: 1})
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        await runJob(ledger, job, dav)
        fill(server, 'a/b/', 2)
        await retryJob(ledger, job)
        const again = await runJob(ledger, job, dav)
        expect(again).toMatchObject({complete: true, resources: 8})
        const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
        expect(hrefs).toEqual(expect.arrayContaining(['/a/b/0', '/a/b/1']))
      }),
    )

    it(
      'removes what a broken attempt had shown',
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/', 200)
        const remove = (): void => {
          for (let index = 0; index < 200; index += 2) server.remove(`a/${index}`)
        }
        server.fault({method: 'PROPFIND', path: 'a', cut: 0.9, times: 1})
        server.fault({method: 'PROPFIND', path: 'a', meanwhile: remove})
        const options = {kind: 'list', tree: 'a/', retry: {attempts: 2, ...SOON}} as const
        const job = await createJob(ledger, options, dav)
        const report = await runJob(ledger, job, dav)

        expect(report).toMatchObject({complete: true, resources: 101, requests: 2})
        const hrefs = (await linesOf(ledger, job)).map(({href}) => href)
        expect(hrefs.toSorted()).toEqual(
          ['/a/', ...server.list('a').map((path) => `/${path}`)].toSorted(),
        )
      }),
    )

    it(
      'is not whole if its root is refused',
      using(async ({ledger, server, dav}) => {
        const job = await createJob(ledger, {kind: 'list', tree: 'gone/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)
        expect(report).toMatchObject({state: 'done', complete: false, resources: 0})
        expect(sentTo(server, 'PROPFIND')).toEqual(['gone'])
      }),
    )

    it(
      'ends in a tree without end, and is not whole',
      using(async ({ledger, server: {url}}) => {
        let requests = 0
        const transport: Transport = async (request) => {
          requests++
          const {pathname} = new URL(request.url)
          const collection = (href: string): MultiStatusResponse => ({
            href,
            properties: {resourcetype: ['collection']},
          })
          const responses = [collection(pathname), collection(`${pathname}x/`)]
          const headers = {'content-type': 'application/xml'}
          return new Response(multistatusBody(responses), {
            status: requests > 300 ? 500 : 207,
            headers,
          })
        }
        const dav = clientOf({url, transport})
        const job = await createJob(ledger, {kind: 'list', tree: 'a/', retry: ONCE}, dav)
        const report = await runJob(ledger, job, dav)
        // The root, and 100 levels of collections below it, as in a walk.
        expect(requests).toBe(101)
        expect(report.complete).toBe(false)
      }),
    )
  })
}
