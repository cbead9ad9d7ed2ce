// The browsers of the tests, as Debian installs them, and the tests of the reader that they cannot run.

export type BrowserName = 'chromium' | 'firefox'

export const EXECUTABLES: Readonly<Record<BrowserName, string>> = {
  chromium: '/usr/bin/chromium',
  firefox: '/usr/bin/firefox-esr',
}

/** Files of test/parser, each with its reason. */
export const READER_LEFT_OUT: Readonly<Record<string, string>> = {
  'hostile-work.test.ts': 'its work is counted in sources that esbuild instruments, under Node.',
  'kept.test.ts': 'a browser does not tell a page its memory in bytes.',
  'node.test.ts': 'a browser has no streams, Buffers and codings of Node.',
}
