/**
 * Firefox for Vitest, driven by puppeteer over WebDriver BiDi. Playwright drives a Firefox of its own build only.
 */
import {playwright} from '@vitest/browser-playwright'
import {type Browser, launch} from 'puppeteer-core'
import type {BrowserProvider, BrowserProviderOption, TestProject} from 'vitest/node'

declare module 'vitest/browser' {
  interface BrowserCommands {
    /** The command of Vitest's own page. */
    __vitest_viewport(): Promise<void>
  }
}

/** The provider of an installed Firefox. It opens pages, and knows no mocks of modules and no actions on a page. */
export function firefox(executablePath: string): BrowserProviderOption {
  return {
    ...playwright(),
    name: 'firefox-bidi',
    supportedBrowser: ['firefox'],
    providerFactory: (project) => new FirefoxProvider(project, executablePath),
  }
}

class FirefoxProvider implements BrowserProvider {
  readonly name: string = 'firefox-bidi'
  readonly supportsParallelism: boolean = false
  readonly #executablePath: string
  #browser: Promise<Browser> | undefined

  constructor(project: TestProject, executablePath: string) {
    this.#executablePath = executablePath
    // Vitest asks for a viewport before the first test. No test has a layout.
    project.browser?.registerCommand('__vitest_viewport', async () => {})
  }

  getCommandsContext(): Record<string, unknown> {
    return {}
  }

  async openPage(_sessionId: string, url: string): Promise<void> {
    this.#browser ??= launch({browser: 'firefox', executablePath: this.#executablePath})
    const page = await (await this.#browser).newPage()
    await page.goto(url)
  }

  async close(): Promise<void> {
    await (await this.#browser)?.close()
    this.#browser = undefined
  }
}
