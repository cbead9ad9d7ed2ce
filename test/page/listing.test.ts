/** Listings on a scripted server: rows before the end, a long listing, one that is cut off, names that mean harm. */
import {afterEach, beforeEach, expect, it} from 'vitest'
import {multistatusBody} from 'multistatus/testing'
import {type PageServer, startPageServer} from '../../examples/browser/server/page-server.ts'
import {
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {describeBrowsers} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

const MANY = 100_000
// The window has about 25 rows at this height.
const MOST_ELEMENTS = 60

let faults: FaultServer
let server: PageServer

beforeEach(async () => {
  faults = await startFaultServer()
  server = await startPageServer(faults.url)
})
afterEach(async () => {
  await server.close()
  await faults.close()
})

describeBrowsers((current) => {
  it('shows rows before the answer ends', async () => {
    const held = Promise.withResolvers<void>()
    faults.answers(
      answer207([
        OPEN,
        listed('/'),
        listed('/a.txt'),
        listed('/b/'),
        held.promise,
        listed('/c.txt'),
        SHUT,
      ]),
    )
    const shown = await ShownPage.open(current(), server.url, {waits: false})

    await expect.poll(() => shown.names(), {timeout: 10_000}).toEqual(['a.txt', 'b'])
    expect(await shown.rowCount()).toBe(-1)
    expect(await shown.text('#chosen')).toBe('2 items so far')
    held.resolve()
    await shown.listed()
    await expect.poll(() => shown.names()).toEqual(['a.txt', 'b', 'c.txt'])
    expect(await shown.rowCount()).toBe(4)
    await shown.close()
  })

  it('has elements for the visible part of 100,000 rows only', async () => {
    const names = Array.from({length: MANY}, (_, index) => `/${index}.txt`)
    faults.answers(answer207([OPEN, listed('/'), ...inPieces(names), SHUT]))
    const shown = await ShownPage.open(current(), server.url)

    await expect.poll(() => shown.rowCount()).toBe(MANY + 1)
    for (const [key, first, last] of [
      ['End', `${MANY - 20}.txt`, `${MANY - 1}.txt`],
      ['Home', '0.txt', '20.txt'],
    ] as const) {
      await shown.page.focus('#grid')
      await shown.press(key)
      await expect.poll(() => shown.names()).toContain(first)
      const shownNames = await shown.names()
      expect(shownNames).toContain(last)
      expect(shownNames.length).toBeLessThan(MOST_ELEMENTS)
    }

    await shown.click('#all')
    await shown.click('#delete')
    expect(await shown.text('#delete-title')).toBe('Delete 100,000 items?')
    expect(await shown.text('#delete-dialog [value=yes]')).toBe('Delete 100,000 items')
    await shown.click('#delete-dialog .cancel')
    await shown.page.type('#filter', '99999')
    await expect.poll(() => shown.names()).toEqual(['99999.txt'])
    expect(await shown.rowCount()).toBe(2)
    await shown.close()
    expect(faults.requests.map(({method}) => method)).toEqual(['PROPFIND'])
  })

  it('selects a range with Shift, all and none', async () => {
    faults.answers(answer207(listing('/', '/a', '/b', '/c', '/d')))
    const shown = await ShownPage.open(current(), server.url)
    const selected = async () =>
      (await shown.rows()).filter(({isSelected}) => isSelected).map(({name}) => name)

    await shown.clickRow('b')
    await shown.clickRow('d', {shift: true})
    expect(await selected()).toEqual(['b', 'c', 'd'])
    await shown.clickRow('a', {shift: true})
    expect(await selected()).toEqual(['a', 'b'])
    await shown.click('#all')
    expect(await selected()).toEqual(['a', 'b', 'c', 'd'])
    await shown.click('#none')
    expect(await selected()).toEqual([])
    await shown.close()
  })

  it('begins a range at the row that was chosen, after the rows were sorted', async () => {
    faults.answers(answer207(listing('/', '/d', '/a', '/c', '/b')))
    const shown = await ShownPage.open(current(), server.url)

    await shown.clickRow('a')
    await shown.page.select('#order', 'name')
    await expect.poll(() => shown.names()).toEqual(['a', 'b', 'c', 'd'])
    await shown.clickRow('c', {shift: true})
    const rows = await shown.rows()
    expect(rows.filter(({isSelected}) => isSelected).map(({name}) => name)).toEqual(['a', 'b', 'c'])
    await shown.close()
  })

  it('takes rows that the filter hides out of the selection', async () => {
    faults.answers(answer207(listing('/', '/a.txt', '/b.txt')))
    const shown = await ShownPage.open(current(), server.url)

    await shown.click('#all')
    await shown.page.type('#filter', 'B.')
    await expect.poll(() => shown.names()).toEqual(['b.txt'])
    await shown.click('#delete')
    expect(await shown.text('#delete-title')).toBe('Delete 1 item?')
    await shown.close()
  })

  it.for([
    {
      of: 'an answer that breaks off',
      answer: (seen: Promise<void>) =>
        answer207([OPEN, listed('/'), listed('/a.txt'), listed('/b.txt'), seen, CLOSE]),
      notice: /^This listing is not complete\. /,
    },
    {
      of: 'members that the server left out',
      answer: () =>
        answer207(
          OPEN +
            listed('/a.txt') +
            listed('/b.txt') +
            multistatusBody([{href: '/', status: 507}]).replace(/^[^]*?(?=<D:response>)/, ''),
        ),
      notice: 'This listing is not complete: the server left members out (507).',
    },
  ])('marks $of, and deletes only after a second question', async ({answer, notice}) => {
    const seen = Promise.withResolvers<void>()
    faults.answers(answer(seen.promise), {status: 204})
    const shown = await ShownPage.open(current(), server.url, {waits: false})

    // Chromium drops what has come if the end comes with it.
    await expect.poll(() => shown.names(), {timeout: 10_000}).toEqual(['a.txt', 'b.txt'])
    seen.resolve()
    await shown.until('#notice', notice)
    await shown.click('#all')
    await shown.click('#delete')
    expect(await shown.text('#delete-dialog .cut')).toContain('This listing is not complete.')
    const isDisabled = () =>
      shown.page.$eval('#delete-dialog [value=yes]', (button) => button.matches(':disabled'))
    expect(await isDisabled()).toBe(true)
    await shown.click('#delete-dialog [type=checkbox]')
    expect(await isDisabled()).toBe(false)
    await shown.click('#delete-dialog [value=yes]')
    await shown.until('#status', '2 of 2 items deleted.')
    await shown.close()
  })

  it('marks a listing that the user stopped', async () => {
    faults.answers(answer207([OPEN, listed('/'), listed('/a.txt'), new Promise(() => {})]))
    const shown = await ShownPage.open(current(), server.url, {waits: false})
    await expect.poll(() => shown.names()).toEqual(['a.txt'])

    await shown.click('#reload')
    await shown.listed()
    expect(await shown.text('#notice')).toBe('This listing is not complete: it was stopped.')
    await shown.close()
  })

  it('says that a listing was refused', async () => {
    faults.answers({status: 403})
    const shown = await ShownPage.open(current(), server.url)

    expect(await shown.text('#notice')).toContain('answered 403')
    expect(await shown.page.$eval('#rows', (rows) => rows.getAttribute('data-empty'))).toBe(
      'Nothing was listed.',
    )
    await shown.close()
  })

  it('shows names as text, with control and bidi characters as escapes', async () => {
    const hrefs = [
      '/%3Cimg%20src=x%20onerror=alert(1)%3E',
      '/invoice-%E2%80%AEfdp.exe',
      '/a%00b',
      '/%26lt;',
    ]
    faults.answers(answer207(listing('/', ...hrefs)))
    const shown = await ShownPage.open(current(), server.url)

    expect(await shown.names()).toEqual([
      '<img src=x onerror=alert(1)>',
      'invoice-\\u202efdp.exe',
      'a\\u0000b',
      '&lt;',
    ])
    expect(await shown.page.$('#rows img')).toBeNull()
    await shown.close()
  })

  it('goes into a folder by its link, and back by the path', async () => {
    faults.script(({url}) =>
      answer207(
        url === '/' ? listing('/', '/a%20%25/') : listing('/a%20%25/', '/a%20%25/inside.txt'),
      ),
    )
    const shown = await ShownPage.open(current(), server.url)

    await shown.click('#rows .name a')
    await expect.poll(() => shown.names()).toEqual(['inside.txt'])
    expect(await shown.text('nav')).toBe('Home\na %')
    await shown.click('nav a')
    await expect.poll(() => shown.names()).toEqual(['a %'])
    await shown.close()
  })
})

/** Joins the responses to pieces of 1,000, as a server would send them. */
function inPieces(hrefs: readonly string[]): readonly string[] {
  return Array.from({length: Math.ceil(hrefs.length / 1000)}, (_, piece) =>
    hrefs
      .slice(piece * 1000, (piece + 1) * 1000)
      .map((href) => listed(href))
      .join(''),
  )
}
