/** Starts Chromium and Firefox without a window, both with the same interface. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Browser, launch, type LaunchOptions} from 'puppeteer-core'
import {afterAll, beforeAll, describe} from 'vitest'
import {findProgram} from '../../servers/support/recipe.ts'

/** The browsers of the tests: their programs by name. */
const PROGRAMS = {Chromium: 'chromium', Firefox: 'firefox-esr'} as const

export type BrowserName = keyof typeof PROGRAMS

/** A running browser. */
export interface RunningBrowser {
  readonly name: BrowserName
  readonly browser: Browser
  /** The folder of its downloads. */
  readonly downloads: string
  close(): Promise<void>
}

/** Declares tests for both browsers. `current()` is the running one. */
export function describeBrowsers(facts: (current: () => RunningBrowser) => void): void {
  describe.for(Object.keys(PROGRAMS) as BrowserName[])('%s', (name) => {
    let running: RunningBrowser | undefined
    beforeAll(async () => {
      running = await startBrowser(name)
    })
    afterAll(() => running?.close())
    facts(() => {
      if (running === undefined) throw new Error(`${name} is not started yet`)
      return running
    })
  })
}

/** Starts a browser. Only Chromium changes its colour scheme later. */
export async function startBrowser(
  name: BrowserName,
  scheme: 'light' | 'dark' = 'light',
): Promise<RunningBrowser> {
  const executablePath = findProgram(PROGRAMS[name])
  if (executablePath === undefined) throw new Error(`${PROGRAMS[name]} not found`)
  const downloads = await mkdtemp(join(tmpdir(), 'multistatus-downloads-'))
  const browser = await launch({
    executablePath,
    ...(name === 'Chromium' ? CHROMIUM : firefoxOptions(downloads, scheme)),
  })
  return {
    name,
    browser,
    downloads,
    async close() {
      await browser.close()
      await rm(downloads, {recursive: true, force: true})
    },
  }
}

// Root has no sandbox.
const CHROMIUM: LaunchOptions = {browser: 'chrome', args: ['--no-sandbox']}

function firefoxOptions(downloads: string, scheme: 'light' | 'dark'): LaunchOptions {
  return {
    browser: 'firefox',
    extraPrefsFirefox: {
      'browser.download.folderList': 2,
      'browser.download.dir': downloads,
      'layout.css.prefers-color-scheme.content-override': scheme === 'dark' ? 0 : 1,
    },
  }
}
