/** The pictures of the guide, which this test takes: WRITE_SCREENSHOTS=1 writes them anew. Each one is shown in the guide. */
import {mkdir, readdir, readFile, stat} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {startPageServer} from '../../examples/browser/server/page-server.ts'
import {startSample} from '../../examples/browser/server/sample.ts'
import {type RunningBrowser, startBrowser} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

const MOST_BYTES = 120_000
const IMAGES = fileURLToPath(new URL('../../guide/images/', import.meta.url))
const GUIDE = fileURLToPath(new URL('../../guide/page.md', import.meta.url))
const isWriting = process.env['WRITE_SCREENSHOTS'] === '1'

let running: RunningBrowser
beforeAll(async () => {
  running = await startBrowser('Chromium')
})
afterAll(() => running.close())

it('shows a listing, a question and failures as in the pictures', async () => {
  const sample = await startSample()
  const server = await startPageServer(sample.url)
  const shown = await ShownPage.open(running, server.url, {width: 1000, height: 660})
  const take = async (name: string): Promise<void> => {
    await shown.drawn()
    if (isWriting) await shown.page.screenshot({path: `${IMAGES}${name}`, optimizeForSpeed: false})
  }
  if (isWriting) await mkdir(IMAGES, {recursive: true})

  await shown.page.select('#order', 'name')
  await shown.click('#all')
  await shown.click('#delete')
  expect(await shown.text('#delete-title')).toBe('Delete 8 items?')
  await take('page-question.png')
  await shown.click('#delete-dialog [value=yes]')
  await shown.until('#status', '7 of 8 items deleted, 1 failed, 2 failed inside.')
  await shown.click('#groups summary')
  expect(await shown.text('#groups li li')).toBe(
    'Projects/2026/contract.txt lock-token-submitted · This resource is locked.',
  )
  await take('page-failures.png')
  await shown.page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'dark'}])
  await shown.page.setViewport({width: 360, height: 700})
  await take('page-narrow.png')

  await shown.close()
  await server.close()
  await sample.close()
})

it('has each picture in the guide, and no other', async () => {
  const guide = await readFile(GUIDE, 'utf8')
  const named = Array.from(
    guide.matchAll(/!\[[^\]]+\]\(images\/([^)]+)\)/g),
    ([, name = '']) => name,
  )
  expect(named.toSorted()).toEqual((await readdir(IMAGES)).toSorted())
  const sizes = await Promise.all(named.map(async (name) => (await stat(`${IMAGES}${name}`)).size))
  expect(sizes.filter((size) => size > MOST_BYTES)).toEqual([])
})
