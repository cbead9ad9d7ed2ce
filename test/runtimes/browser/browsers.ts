// Chromium and Firefox ESR of Debian, driven by puppeteer: their pages and workers, with the outcomes that differ.

import {launch} from 'puppeteer-core'

import type {Difference, Runtime} from '../runtime.ts'
import {SCENARIOS} from '../scenarios.ts'
import type {Scope} from './scope.ts'

export type BrowserName = 'chromium' | 'firefox'

const HEADINGS: Readonly<Record<BrowserName, string>> = {chromium: 'Chromium', firefox: 'Firefox'}

const SCOPES: readonly Scope[] = ['page', 'worker', 'shared worker', 'service worker']

/** Opens a page, evaluates an expression in it, and closes the browser. */
export async function evaluate(
  browser: BrowserName,
  url: string,
  expression: string,
): Promise<unknown> {
  const running = await launch(
    browser === 'chromium'
      ? {browser: 'chrome', executablePath: '/usr/bin/chromium', args: ['--no-sandbox']}
      : {browser, executablePath: '/usr/bin/firefox-esr'},
  )
  try {
    const page = await running.newPage()
    await page.goto(url)
    return await page.evaluate(expression)
  } finally {
    await running.close()
  }
}

function inBrowser(
  browser: BrowserName,
  scope: Scope,
  differences: Readonly<Record<string, Difference>>,
): Runtime {
  return {
    heading: HEADINGS[browser],
    name: `${browser}-${scope.replace(' ', '-')}`,
    scenarios: SCENARIOS,
    async run({page}, place) {
      const call = `runIn(${JSON.stringify(scope)}, ${JSON.stringify(place)})`
      const outcomes = await evaluate(browser, page, call)
      return outcomes as Awaited<ReturnType<Runtime['run']>>
    },
    differences,
  }
}

export const browsers: readonly Runtime[] = [
  ...SCOPES.map((scope) => inBrowser('chromium', scope, {})),
  ...SCOPES.map((scope) => inBrowser('firefox', scope, {})),
]
