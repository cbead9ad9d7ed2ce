/** Starts Chromium and Firefox for the tests of the page, both over WebDriver BiDi. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Browser, launch} from 'puppeteer-core'

/** A running browser. */
export interface RunningBrowser {
  readonly browser: Browser
  /** The folder of its downloads. */
  readonly downloads: string
  close(): Promise<void>
}

/** Starts a browser of Debian without a window. */
export async function startBrowser(name: 'Chromium' | 'Firefox'): Promise<RunningBrowser> {
  const downloads = await mkdtemp(join(tmpdir(), 'multistatus-downloads-'))
  const browser = await (name === 'Chromium' ? chromium() : firefox(downloads))
  return {
    browser,
    downloads,
    async close() {
      await browser.close()
      await rm(downloads, {recursive: true, force: true})
    },
  }
}

function chromium(): Promise<Browser> {
  return launch({
    browser: 'chrome',
    executablePath: '/usr/bin/chromium',
    // Root has no sandbox.
    args: ['--no-sandbox'],
  })
}

function firefox(downloads: string): Promise<Browser> {
  return launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    extraPrefsFirefox: {
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
      'browser.download.useDownloadDir': true,
    },
  })
}
