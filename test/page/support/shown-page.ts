/** The page in a browser, as a user sees it: rows, sentences, buttons, keys. */
import {readdir, readFile, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {isDeepStrictEqual} from 'node:util'
import type {KeyInput, Page} from 'puppeteer-core'
import type {RunningBrowser} from './browsers.ts'

/** A row that has an element. */
export interface ShownRow {
  readonly name: string
  /** The verdict: its kind and its words. */
  readonly verdict: string
  readonly isSelected: boolean
}

interface OpenOptions {
  /** False for a listing that does not end. */
  readonly waits?: boolean
  readonly width?: number
  readonly height?: number
}

const WITHIN_MILLISECONDS = 20_000
const PAUSE_MILLISECONDS = 50

/** The page in a tab of its own. */
export class ShownPage {
  readonly page: Page
  readonly #downloads: string
  readonly #errors: string[] = []

  private constructor(page: Page, downloads: string) {
    this.page = page
    this.#downloads = downloads
    // A refused script or style, and whatever the page throws.
    page.on('pageerror', (error) => this.#errors.push(String(error)))
    page.on('console', (message) => {
      if (message.text().includes('Content-Security-Policy')) this.#errors.push(message.text())
    })
  }

  /** Opens the page and waits for the end of its listing. */
  static async open(
    {browser, name, downloads}: RunningBrowser,
    url: string,
    {waits = true, width = 1180, height = 760}: OpenOptions = {},
  ): Promise<ShownPage> {
    const page = await browser.newPage()
    await page.setViewport({width, height})
    if (name === 'Chromium') {
      const session = await page.createCDPSession()
      const behavior = {behavior: 'allow', downloadPath: downloads} as const
      await session.send('Browser.setDownloadBehavior', behavior)
    }
    const shown = new ShownPage(page, downloads)
    await page.goto(url)
    if (waits) await shown.listed()
    return shown
  }

  /** Closes the tab. The page must have thrown nothing and broken no policy. */
  async close(): Promise<void> {
    await this.page.close({runBeforeUnload: false})
    if (this.#errors.length > 0) throw new Error(this.#errors.join('\n'))
  }

  /** Waits for the end of the listing. */
  async listed(): Promise<void> {
    await becomes(() => this.text('#reload'), 'Reload')
  }

  /** Reads the rows that have elements. */
  rows(): Promise<readonly ShownRow[]> {
    return this.page.evaluate(() =>
      Array.from(document.querySelectorAll<HTMLElement>('#rows .row'), (row) => ({
        name: row.querySelector('.name')?.textContent ?? '',
        verdict: `${row.dataset['verdict']} ${row.querySelector('.verdict')?.textContent}`.trim(),
        isSelected: row.ariaSelected === 'true',
      })),
    )
  }

  /** Reads the verdicts of the rows that have elements, by name. */
  async verdicts(): Promise<Readonly<Record<string, string>>> {
    return Object.fromEntries((await this.rows()).map(({name, verdict}) => [name, verdict]))
  }

  async names(): Promise<readonly string[]> {
    return (await this.rows()).map(({name}) => name)
  }

  /** The number of rows that assistive technology hears of, the head included; -1 while nobody knows. */
  rowCount(): Promise<number> {
    return this.page.$eval('#grid', (grid) => Number(grid.ariaRowCount))
  }

  /** Reads the visible text of the first element; empty if it is hidden. */
  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) =>
      element instanceof HTMLElement && element.checkVisibility() ? element.innerText : '',
    )
  }

  /** Reads the headings of the groups of failures, each with the names of its visible buttons. */
  groups(): Promise<readonly string[]> {
    return this.page.evaluate(() =>
      Array.from(document.querySelectorAll('#groups > li'), (group) => {
        const buttons = Array.from(group.querySelectorAll('button'))
          .filter(({hidden}) => !hidden)
          .map(({textContent}) => `[${textContent}]`)
        return [group.querySelector('h3')?.textContent, ...buttons].join(' ')
      }),
    )
  }

  /** Clicks the first element for a selector, as soon as there is one: the page draws in its own time. */
  async click(selector: string): Promise<void> {
    await this.page.waitForSelector(selector, {timeout: 5000})
    await this.page.$eval(selector, (element) => {
      if (!(element instanceof HTMLElement)) throw new Error('no element')
      if (element instanceof HTMLButtonElement && element.disabled)
        throw new Error(`${element.id} is disabled`)
      element.click()
    })
    await this.drawn()
  }

  /** Clicks a row, beside its name. */
  async clickRow(name: string, {shift = false}: {readonly shift?: boolean} = {}): Promise<void> {
    await this.page.evaluate(
      (wanted, shiftKey) => {
        const row = Array.from(document.querySelectorAll('#rows .row')).find(
          (element) => element.querySelector('.name')?.textContent === wanted,
        )
        if (row === undefined) throw new Error(`no row ${wanted}`)
        const event = new MouseEvent('click', {bubbles: true, shiftKey})
        row.querySelector('.tick')?.dispatchEvent(event)
      },
      name,
      shift,
    )
    await this.drawn()
  }

  /** Waits until the page has drawn again. */
  async drawn(): Promise<void> {
    await this.page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    )
  }

  /** Presses keys one after the other. `Shift+ArrowDown` holds Shift. */
  async press(...keys: readonly string[]): Promise<void> {
    const {keyboard} = this.page
    for (const combination of keys) {
      const parts = combination.split('+') as KeyInput[]
      const last = parts.pop()
      for (const key of parts) await keyboard.down(key)
      if (last !== undefined) await keyboard.press(last)
      for (const key of parts) await keyboard.up(key)
    }
    await this.drawn()
  }

  /** Waits until the element of a selector has a text, and until the rows are drawn that go with it. */
  async until(selector: string, text: string | RegExp): Promise<void> {
    await becomes(() => this.text(selector), text)
    await this.drawn()
  }

  /** Waits until a row has a verdict. */
  untilVerdict(name: string, verdict: string | RegExp): Promise<void> {
    return becomes(async () => (await this.verdicts())[name], verdict)
  }

  /** Puts a text into a field. */
  async fill(selector: string, text: string): Promise<void> {
    await this.page.$eval(
      selector,
      (field, value) => {
        if (field instanceof HTMLInputElement) field.value = value
      },
      text,
    )
  }

  /** Chooses local files for an upload. */
  async choose(...paths: readonly string[]): Promise<void> {
    const input = await this.page.$('input#files')
    await input?.uploadFile(...paths)
    await becomes(() => this.text('#upload-dialog'), /./)
  }

  /** Deletes everything that is shown, after the question. */
  async deleteAll(): Promise<void> {
    await this.click('#all')
    await this.click('#delete')
    await this.click('#delete-dialog [value=yes]')
  }

  /** Waits for a downloaded file, reads it and removes it. */
  async downloaded(name: string): Promise<Buffer> {
    // Both browsers have a second file until the first one is whole.
    await becomes(() => readdir(this.#downloads), [name])
    const file = join(this.#downloads, name)
    const content = await readFile(file)
    await rm(file)
    return content
  }
}

/** Waits until a value is the wanted one, or matches it. */
export async function becomes(
  read: () => Promise<unknown>,
  wanted: string | RegExp | readonly string[],
): Promise<void> {
  const end = Date.now() + WITHIN_MILLISECONDS
  let last: unknown
  do {
    last = await read()
    const isIt =
      wanted instanceof RegExp
        ? typeof last === 'string' && wanted.test(last)
        : isDeepStrictEqual(last, wanted)
    if (isIt) return
    await delay(PAUSE_MILLISECONDS)
  } while (Date.now() < end)
  const shown = wanted instanceof RegExp ? wanted.source : JSON.stringify(wanted)
  throw new Error(`still ${JSON.stringify(last)}, and not ${shown}`)
}
