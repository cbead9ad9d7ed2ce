/** The page without a mouse, for assistive technology, in the dark and on a narrow screen. */
import {readFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import type {AxeResults} from 'axe-core'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {type PageServer, startPageServer} from '../../examples/browser/server/page-server.ts'
import {answer207, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'
import {
  type BrowserName,
  describeBrowsers,
  type RunningBrowser,
  startBrowser,
} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'))

let faults: FaultServer
let server: PageServer

beforeEach(async () => {
  faults = await startFaultServer()
  faults.script(({method, url}) => {
    if (method === 'PROPFIND')
      return answer207(listing('/', '/a/', '/b.txt', '/c.txt', '/d.txt', '/e.txt'))
    return {status: url === '/d.txt' ? 423 : 204}
  })
  server = await startPageServer(faults.url)
})
afterEach(async () => {
  await server.close()
  await faults.close()
})

describeBrowsers((current) => {
  it('selects a range and deletes it by the keyboard alone', async () => {
    const shown = await ShownPage.open(current(), server.url)
    const focused = () => shown.page.evaluate(() => document.activeElement?.id ?? '')

    for (let presses = 0; (await focused()) !== 'grid' && presses < 20; presses++)
      await shown.press('Tab')
    await shown.press('ArrowDown', 'ArrowDown', ' ', 'Shift+ArrowDown')
    expect((await shown.rows()).filter(({isSelected}) => isSelected)).toEqual([
      {name: 'c.txt', verdict: 'listed', isSelected: true},
      {name: 'd.txt', verdict: 'listed', isSelected: true},
    ])
    expect(
      await shown.page.$eval('#grid', (grid) => grid.getAttribute('aria-activedescendant')),
    ).toBe('row-3')

    await shown.press('Delete')
    expect(await shown.text('#delete-title')).toBe('Delete 2 items?')
    // The first answer is Cancel, so that one key too many deletes nothing.
    expect(await shown.page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel')
    await shown.press('Tab', 'Enter')
    await shown.until('#status', '1 of 2 items deleted, 1 failed.')
    expect(await focused()).toBe('grid')
    expect(await shown.text('#live')).toBe('1 of 2 items deleted, 1 failed.')
    expect(
      faults.requests
        .filter(({method}) => method === 'DELETE')
        .map(({url}) => url)
        .toSorted(),
    ).toEqual(['/c.txt', '/d.txt'])
    await shown.close()
  })

  it('selects all and none, and opens a folder, by the keyboard', async () => {
    const shown = await ShownPage.open(current(), server.url)
    const selected = async () => (await shown.rows()).filter(({isSelected}) => isSelected).length

    await shown.page.focus('#grid')
    await shown.press('Control+a')
    expect(await selected()).toBe(5)
    await shown.press('Escape')
    expect(await selected()).toBe(0)
    await shown.press('End', 'Home', 'Enter')
    await expect.poll(() => shown.page.url()).toBe(`${server.url}#a/`)
    await shown.close()
  })

  it('opens the questions of a move by F2, and goes back by Escape', async () => {
    const shown = await ShownPage.open(current(), server.url)

    await shown.page.focus('#grid')
    await shown.press('ArrowDown', ' ', 'F2')
    expect(await shown.text('#move-title')).toBe('Move 1 item')
    expect(
      await shown.page.$eval(
        '#move-dialog [name=name]',
        (field) =>
          field === document.activeElement && field instanceof HTMLInputElement && field.value,
      ),
    ).toBe('b.txt')
    await shown.press('Escape')
    await expect.poll(() => shown.text('#move-dialog')).toBe('')
    expect(faults.requests.map(({method}) => method)).toEqual(['PROPFIND'])
    await shown.close()
  })
})

describe.for<{name: BrowserName; scheme: 'light' | 'dark'; width: number}>([
  {name: 'Chromium', scheme: 'light', width: 1180},
  {name: 'Chromium', scheme: 'dark', width: 360},
  {name: 'Firefox', scheme: 'dark', width: 1180},
  {name: 'Firefox', scheme: 'light', width: 360},
])('$name, $scheme, $width px', ({name, scheme, width}) => {
  let running: RunningBrowser
  beforeEach(async () => {
    running = await startBrowser(name, scheme)
    return () => running.close()
  })

  it('has no violation that axe-core finds', async () => {
    const shown = await ShownPage.open(running, server.url, {width, height: 740})
    if (name === 'Chromium')
      await shown.page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: scheme}])
    expect(
      await shown.page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches),
    ).toBe(scheme === 'dark')
    await shown.page.evaluate(await readFile(AXE, 'utf8'))

    await shown.clickRow('b.txt')
    await shown.clickRow('d.txt')
    expect(await violations(shown)).toEqual([])
    await shown.click('#delete')
    expect(await violations(shown)).toEqual([])
    await shown.click('#delete-dialog [value=yes]')
    await shown.until('#status', '1 of 2 items deleted, 1 failed.')
    await shown.click('#groups summary')
    expect(await violations(shown)).toEqual([])
    await shown.clickRow('e.txt')
    await shown.click('#move')
    expect(await violations(shown)).toEqual([])
    expect(
      await shown.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    ).toBe(true)
    await shown.close()
  })
})

/** Runs axe-core in the page. Returns each violation with its elements. */
function violations(shown: ShownPage): Promise<readonly string[]> {
  return shown.page.evaluate(async () => {
    const {axe} = globalThis as unknown as {axe: {run(): Promise<AxeResults>}}
    const {violations: found} = await axe.run()
    return found.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' ')}`)
  })
}
