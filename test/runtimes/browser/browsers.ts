// Chromium and Firefox ESR of Debian, driven by puppeteer: their pages and workers, with the outcomes that differ.

import {launch} from 'puppeteer-core'

import type {Difference, Runtime} from '../runtime.ts'
import {TEXT} from '../scenario.ts'
import {SCENARIOS} from '../scenarios.ts'
import {type BrowserName, EXECUTABLES} from './names.ts'
import {readerIn} from './reader.ts'
import type {Scope} from './scope.ts'

const HEADINGS: Readonly<Record<BrowserName, string>> = {chromium: 'Chromium', firefox: 'Firefox'}

const SCOPES: readonly Scope[] = ['page', 'worker', 'shared worker', 'service worker']

/** Opens a page, evaluates an expression in it, and closes the browser. */
export async function evaluate(
  browser: BrowserName,
  url: string,
  expression: string,
): Promise<unknown> {
  const executablePath = EXECUTABLES[browser]
  const running = await launch(
    browser === 'chromium'
      ? {browser: 'chrome', executablePath, args: ['--no-sandbox']}
      : {browser, executablePath},
  )
  try {
    const page = await running.newPage()
    await page.goto(url)
    return await page.evaluate(expression)
  } finally {
    await running.close()
  }
}

const RESENT =
  'the browser sends a request again by itself if a kept connection closes without an answer.'
const REDIRECT = 'a browser hides the target of a redirect.'
const CUT_GZIP =
  'the browser takes gzip that was cut for whole. A listing is an error all the same, because its XML lacks its end. A file is shorter.'

/** The differences of every browser. */
const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'a DELETE on a closed connection of a bulk call is sent once': {
    seen: false,
    isOccasional: true,
    fact: RESENT,
  },
  'a DELETE and a PUT on a kept connection that closes are sent once': {
    seen: [
      'ok 200 member /once/x 1',
      'ok 200 self /once/ 1',
      'ok 204 self /once/fine 1',
      'nothing',
      'status 404 self /once/delete 1',
      2,
      2,
    ],
    isOccasional: true,
    fact: RESENT,
  },
  'a bulk call sends again what failed': {
    seen: ['ok 204 self /flaky/busy 2', 'ok 204 self /flaky/reset 1'],
    isOccasional: true,
    fact: RESENT,
  },
  'the failures of a bulk call are retried later': {
    seen: ['ok 204 self /later/busy 2'],
    isOccasional: true,
    fact: RESENT,
  },
  'a listing in gzip that lacks its end is an error': {
    seen: 'thrown MultiStatusError',
    fact: CUT_GZIP,
  },
  'a file in gzip, which was not asked for, lacks its end': {
    seen: 'a shorter file',
    fact: CUT_GZIP,
  },
  'a listing follows a redirect, whose target is not escaped': {
    seen: ['thrown DavNetworkError'],
    fact: REDIRECT,
  },
  'a DELETE follows to the slash, and a PUT to another member': {
    seen: ['DavNetworkError', 'DELETE a', `PUT b ${TEXT}`],
    fact: REDIRECT,
  },
  'a redirect to another origin is not followed': {
    seen: 'refused 0 self /moved/away 1',
    fact: REDIRECT,
  },
  'a body that can be read once is not sent to another URL': {
    seen: 'DavNetworkError',
    fact: REDIRECT,
  },
}

const NO_AGENT = 'the package names itself, or what the program says'

const OWN: Readonly<Record<BrowserName, Readonly<Record<string, Difference>>>> = {
  chromium: {
    'each kind of body is sent as it is': {
      seen: [
        [207, 207, 207, 'DavNetworkError', 'DavNetworkError'],
        ['text', 'bytes', 'blob'].map((name) => `${name} ${TEXT}`),
      ],
      fact: 'Chromium sends a stream over HTTP/2 only. `put` reads a stream first, and `request` does not.',
    },
    [NO_AGENT]: {seen: [false, false], fact: 'the User-Agent is always that of the browser.'},
  },
  firefox: {
    [NO_AGENT]: {
      seen: [false, true],
      fact: 'the User-Agent is that of the browser, unless `userAgent` says another one.',
    },
  },
}

function inBrowser(browser: BrowserName, scope: Scope): Runtime {
  return {
    heading: HEADINGS[browser],
    name: `${browser}-${scope.replace(' ', '-')}`,
    scenarios: SCENARIOS,
    async run({page}, place) {
      const call = `runIn(${JSON.stringify(scope)}, ${JSON.stringify(place)})`
      const outcomes = await evaluate(browser, page, call)
      return outcomes as Awaited<ReturnType<Runtime['run']>>
    },
    differences: {...DIFFERENCES, ...OWN[browser]},
    reader: scope === 'page' ? readerIn(browser) : undefined,
  }
}

export const browsers: readonly Runtime[] = (['chromium', 'firefox'] as const).flatMap((browser) =>
  SCOPES.map((scope) => inBrowser(browser, scope)),
)
