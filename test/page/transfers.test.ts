/** Uploads, downloads and moves by the page: progress while a scripted server holds the rest back, and files on Apache's disk. */
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {multistatusBody} from 'multistatus/testing'
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest'
import {type PageServer, startPageServer} from '../../examples/browser/server/page-server.ts'
import {apache} from '../servers/apache.ts'
import {readPaths} from '../servers/support/disk.ts'
import {describeServers} from '../servers/support/suite.ts'
import {makeCollection} from '../servers/support/trees.ts'
import {
  answer207,
  CLOSE,
  type FaultServer,
  listing,
  type Part,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {describeBrowsers} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

describeBrowsers((current) => {
  let local: string
  beforeAll(async () => {
    local = await mkdtemp(join(tmpdir(), 'multistatus-local-'))
  })
  afterAll(() => rm(local, {recursive: true}))

  describeServers([apache], (server) => {
    let page: PageServer
    beforeAll(async () => {
      page = await startPageServer(server.url())
    })
    afterAll(() => page.close())

    it('renames one member into a new folder, under a name with URL characters', async () => {
      const folder = await makeCollection(server, 'renaming', ['a.txt', 'b.txt'])
      const shown = await ShownPage.open(current(), `${page.url}#renaming/`)

      await shown.clickRow('a.txt')
      await shown.click('#move')
      expect(await shown.text('#move-title')).toBe('Move 1 item')
      await shown.fill('#move-dialog [name=name]', '100% #1?.txt')
      await shown.fill('#move-dialog [name=folder]', 'renaming/new')
      await shown.click('#move-dialog [name=parents]')
      await shown.click('#move-dialog [value=yes]')
      await shown.until('#status', '1 of 1 item moved.')
      expect(await shown.verdicts()).toEqual({'a.txt': 'done moved', 'b.txt': 'listed'})
      expect((await readPaths(folder)).toSorted()).toEqual(['b.txt', 'new', 'new/100% #1?.txt'])
      await shown.close()
    })

    it('replaces nothing without being told, and says what is taken', async () => {
      const folder = await makeCollection(server, 'taken', ['a.txt', 'b.txt', 'to/a.txt'])
      await writeFile(join(folder, 'to', 'a.txt'), 'the first one')
      const shown = await ShownPage.open(current(), `${page.url}#taken/`)

      await shown.clickRow('a.txt')
      await shown.clickRow('b.txt')
      await shown.click('#move')
      await shown.fill('#move-dialog [name=folder]', 'taken/to')
      await shown.click('#move-dialog [value=yes]')
      await shown.until('#status', '1 of 2 items moved, 1 failed.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item not moved: there is one already (412)'])
      expect(await readFile(join(folder, 'to', 'a.txt'), 'utf8')).toBe('the first one')
      await shown.close()
    })

    it('refuses a destination that cannot be, before anything is sent', async () => {
      await makeCollection(server, 'nowhere', ['a/b.txt'])
      const shown = await ShownPage.open(current(), `${page.url}#nowhere/`)

      await shown.clickRow('a')
      await shown.click('#move')
      for (const name of ['', 'x/y', '..']) {
        await shown.fill('#move-dialog [name=name]', name)
        await shown.click('#move-dialog [value=yes]')
        expect(await shown.text('#move-dialog .problem')).not.toBe('')
      }
      await shown.fill('#move-dialog [name=folder]', 'nowhere/a')
      await shown.fill('#move-dialog [name=name]', 'inside')
      await shown.click('#move-dialog [value=yes]')
      expect(await shown.text('#move-dialog .problem')).not.toBe('')
      await shown.click('#move-dialog .cancel')
      expect(await readPaths(join(server.root, 'nowhere'))).toEqual(['a', 'a/b.txt'])
      await shown.close()
    })

    it('uploads files, and reports those whose name is taken', async () => {
      const folder = await makeCollection(server, 'uploading', ['there.txt'])
      const files = {'new #1.txt': 'new', 'there.txt': 'other', 'empty.txt': ''}
      for (const [name, text] of Object.entries(files)) await writeFile(join(local, name), text)
      const shown = await ShownPage.open(current(), `${page.url}#uploading/`)

      await shown.choose(...Object.keys(files).map((name) => join(local, name)))
      expect(await shown.text('#upload-title')).toBe('Upload 3 files')
      await shown.click('#upload-dialog [value=yes]')
      await shown.until('#status', '2 of 3 items uploaded, 1 failed.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item not uploaded: there is one already (412)'])
      expect(await readFile(join(folder, 'new #1.txt'), 'utf8')).toBe('new')
      expect(await readFile(join(folder, 'empty.txt'), 'utf8')).toBe('')
      expect(await readFile(join(folder, 'there.txt'), 'utf8')).toBe('there.txt')

      await shown.choose(join(local, 'there.txt'))
      await shown.click('#upload-dialog [name=overwrite]')
      await shown.click('#upload-dialog [value=yes]')
      await shown.until('#status', '1 of 1 item uploaded.')
      expect(await readFile(join(folder, 'there.txt'), 'utf8')).toBe('other')
      await expect.poll(() => shown.groups(), {timeout: 5000}).toEqual([])
      await shown.close()
    })

    it('downloads files as they are, and leaves folders out', async () => {
      await makeCollection(server, 'downloading', ['a #1.txt', 'b/c.txt'])
      const shown = await ShownPage.open(current(), `${page.url}#downloading/`)

      await shown.click('#all')
      await shown.click('#download')
      await shown.until('#status', '1 of 1 item downloaded.')
      expect((await shown.downloaded('a #1.txt')).toString()).toBe('a #1.txt')
      expect(await shown.verdicts()).toEqual({'a #1.txt': 'done downloaded', b: 'listed'})
      await shown.close()
    })
  })

  describe('a scripted server', () => {
    let faults: FaultServer
    let page: PageServer
    beforeEach(async () => {
      faults = await startFaultServer()
      page = await startPageServer(faults.url)
      return async () => {
        await page.close()
        await faults.close()
      }
    })

    it('shows the progress of an upload, then its verdict', async () => {
      const held = Promise.withResolvers<void>()
      const file = join(local, 'film.bin')
      await writeFile(file, Buffer.alloc(3_000_000, 'film'))
      faults.script(async ({method}) => {
        if (method === 'PROPFIND') return answer207(listing('/'))
        await held.promise
        return {status: 201}
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.choose(file)
      await shown.click('#upload-dialog [value=yes]')
      await shown.untilVerdict('film.bin', 'sent 100 %')
      expect(await shown.text('#status')).toBe('Uploading: 0 of 1')
      held.resolve()
      await shown.untilVerdict('film.bin', 'done uploaded')
      const put = faults.requests.find(({method}) => method === 'PUT')
      expect(put?.bytes.length).toBe(3_000_000)
      expect(put?.headers['if-none-match']).toBe('*')
      await shown.close()
    })

    it('says why it does not begin: two files of one name, folders without content', async () => {
      const inner = join(local, 'inner')
      await mkdir(inner)
      const files = [join(local, 'twin.txt'), join(inner, 'twin.txt')]
      for (const file of files) await writeFile(file, file)
      faults.script(() => answer207(listing('/', '/folder/')))
      const shown = await ShownPage.open(current(), page.url)

      // No question comes.
      const input = await shown.page.$('input#files')
      await input?.uploadFile(...files)
      await shown.until('#status', /^Two of these files have one name\./)
      await shown.clickRow('folder')
      await shown.click('#download')
      await shown.until('#status', 'A folder has no content to download. Select files.')
      expect(faults.requests.map(({method}) => method)).toEqual(['PROPFIND'])
      await shown.close()
    })

    it('sends a file again that the server did not take', async () => {
      const file = join(local, 'again.txt')
      await writeFile(file, 'once more')
      const statuses = [507, 201]
      faults.script(({method}) =>
        method === 'PROPFIND' ? answer207(listing('/')) : {status: statuses.shift() ?? 500},
      )
      const shown = await ShownPage.open(current(), page.url)

      await shown.choose(file)
      await shown.click('#upload-dialog [value=yes]')
      await shown.until('#status', '0 of 1 item uploaded, 1 failed.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item not uploaded: no space left (507) [Retry]'])
      await shown.click('#groups .again')
      await shown.until('#status', '1 of 1 item done now.')
      const puts = faults.requests.filter(({method}) => method === 'PUT')
      expect(puts.map(({body}) => body)).toEqual(['once more', 'once more'])
      await shown.close()
    })

    it('does not take a file at the target for the upload whose answer was lost', async () => {
      const file = join(local, 'lost.txt')
      await writeFile(file, 'nobody knows')
      const found = multistatusBody([{href: '/lost.txt', properties: {getcontentlength: 12}}])
      faults.script(({method, headers}) => {
        if (method === 'PUT') return RESET
        return answer207(headers['depth'] === '1' ? listing('/') : found)
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.choose(file)
      await shown.click('#upload-dialog [value=yes]')
      await shown.until('#status', '0 of 1 item uploaded, 1 unknown.')
      await shown.click('#groups .check')
      await shown.until('#status', '0 of 1 item done after all, 1 unknown.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item: unknown if uploaded, there is a file of 12 B [Check again] [Retry]'])
      await shown.close()
    })

    it('shows the progress of a download, and saves it when it is whole', async () => {
      const held = Promise.withResolvers<void>()
      const half = 'half'.repeat(100_000)
      faults.script(({method}) =>
        method === 'PROPFIND'
          ? answer207(listing('/', '/film.bin'))
          : {status: 200, headers: {'content-length': '800000'}, body: [half, held.promise, half]},
      )
      const shown = await ShownPage.open(current(), page.url)

      await shown.clickRow('film.bin')
      await shown.click('#download')
      await shown.untilVerdict('film.bin', /^sent [1-9]\d? %$/)
      held.resolve()
      await shown.untilVerdict('film.bin', 'done downloaded')
      expect((await shown.downloaded('film.bin')).toString()).toBe(half + half)
      await shown.close()
    })

    it('saves nothing of a download that breaks off, and offers a retry', async () => {
      const held = Promise.withResolvers<void>()
      const half = 'half'.repeat(100_000)
      const bodies: Part[][] = [[half, held.promise, CLOSE], [half + half]]
      faults.script(({method}) => {
        if (method === 'PROPFIND') return answer207(listing('/', '/cut.txt'))
        return {status: 200, headers: {'content-length': '800000'}, body: bodies.shift() ?? []}
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.clickRow('cut.txt')
      await shown.click('#download')
      // Nobody can go on without an ETag, once a byte was read.
      await shown.untilVerdict('cut.txt', /^sent [1-9]\d? %$/)
      held.resolve()
      await shown.until('#status', '0 of 1 item downloaded, 1 failed.')
      expect(await readdir(current().downloads)).toEqual([])
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item not downloaded: no answer [Retry]'])
      await shown.click('#groups .again')
      await shown.until('#status', '1 of 1 item done now.')
      expect((await shown.downloaded('cut.txt')).toString()).toBe(half + half)
      await shown.close()
    })
  })
})
