// States that every runtime carries exchanges the same way, or differs by a known fact. Each runs all scenarios with the packed
// package, against real servers and one with faults, and the tests of the reader. The table of the guide is that of the run.

import {readFileSync} from 'node:fs'
import {isDeepStrictEqual} from 'node:util'

import {afterAll, beforeAll, describe, expect, it} from 'vitest'

import {expectInGuide} from '../support/guide.ts'
import {evaluate} from './browser/browsers.ts'
import {at, execute} from './execute.ts'
import type {SuiteOutcome} from './parser-suite.ts'
import {PROGRAMS, runtimes} from './runtimes.ts'
import type {Outcome} from './scenario.ts'
import {type Site, startSite} from './site.ts'
import {formatTable, type Run} from './table.ts'
import {askOneClient} from './workerd.ts'

let site: Site
beforeAll(async () => {
  site = await startSite()
})
afterAll(() => site.close())

describe.for(Object.entries(PROGRAMS))('%s', ([, {path, version}]) => {
  it('is the version that is meant', async () => {
    const {stdout} = await execute(path, ['--version'])
    expect(stdout.trim()).toMatch(version)
  })
})

describe('the versions that are tested', () => {
  it('begin with the oldest one that package.json allows', () => {
    const {engines} = JSON.parse(readFileSync(at('package.json'), 'utf8'))
    expect(engines).toEqual({node: '>=22.19'})
  })
})

describe.for(['chromium', 'firefox'] as const)('a page of %s', (browser) => {
  const account = (): string => {
    const {user, password} = site.account
    return `basicAuth(${JSON.stringify(user)}, ${JSON.stringify(password)})`
  }
  const collection = {ok: true, status: 200, properties: {resourcetype: ['collection']}}

  it('logs in on another origin, whose preflights need no login', async () => {
    const {apache, nginx} = site.servers
    const [first, second] = [apache, nginx].map(
      (url) => `new DavClient({url: '${url}private/', auth: ${account()}}).stat('')`,
    )
    const results = await evaluate(browser, site.page, `Promise.all([${first}, ${second}])`)
    expect(results).toMatchObject([collection, collection])
  })

  it('is told the permissions that a server of another origin has to give', async () => {
    // This server allows nothing.
    const url = site.page.replace('127.0.0.1', 'localhost')
    const call = `new DavClient({url: '${url}', auth: ${account()}}).delete('a').catch(String)`
    const {origin} = new URL(site.page)
    expect(await evaluate(browser, site.page, call)).toContain(
      `it must answer OPTIONS without a login, and allow by name the origin ${origin}, the method DELETE, the headers authorization, depth, and expose Allow,`,
    )
  })

  it('on the origin of its server is told of a missing login, without a dialog', async () => {
    const {apache} = site.servers
    for (const [from, to] of [
      ['', 'page.html'],
      ['page.js', 'page.js'],
    ]) {
      const body = await (await fetch(`${site.page}${from}`)).text()
      const {status} = await fetch(`${apache}${to}`, {method: 'PUT', body})
      expect([201, 204]).toContain(status)
    }
    const call = `Promise.all([
      new DavClient({url: 'private/'}).stat(''),
      new DavClient({url: '/private/', auth: ${account()}}).stat(''),
    ])`
    expect(await evaluate(browser, `${apache}page.html`, call)).toMatchObject([
      {ok: false, reason: 'status', status: 401, url: `${apache}private/`},
      {...collection, url: `${apache}private/`},
    ])
  })
})

it.for(['2024-11-01', '2026-07-01'])(
  'a client that is made before the first request of a worker serves all of them: workerd %s',
  async (date) => {
    const answers = await askOneClient(site, date)
    expect(answers).toEqual([
      [2, 204],
      [2, 204],
      [2, 204],
      [2, 204],
    ])
  },
)

const runs: Run[] = []

describe.for(runtimes)('$name', (runtime) => {
  const {name, scenarios, differences} = runtime
  let outcomes: readonly Outcome[]
  beforeAll(async () => {
    outcomes = await runtime.run(site, {servers: site.servers, runtime: name})
    runs.push({runtime, outcomes})
  })

  it('ran each scenario once', () => {
    expect(outcomes.map(({title}) => title)).toEqual(scenarios.map(({title}) => title))
  })

  it.for(scenarios)('$title', ({title, expected}) => {
    const seen = outcomes.find((outcome) => outcome.title === title)?.outcome
    const {isOccasional = false, ...difference} = differences[title] ?? {seen: expected}
    const isRight = isOccasional && isDeepStrictEqual(seen, expected)
    expect(seen).toEqual(isRight ? expected : difference.seen)
  })

  it('has differences in scenarios only', () => {
    const titles = scenarios.map(({title}) => title)
    expect(titles).toEqual(expect.arrayContaining(Object.keys(differences)))
    for (const {title, expected} of scenarios)
      expect(differences[title]?.seen).not.toEqual(expected)
  })
})

describe('the tests of the reader', () => {
  const readers = runtimes.flatMap(({name, reader}) =>
    reader === undefined ? [] : [{name, reader}],
  )
  const counts: Record<string, SuiteOutcome['passed']> = {}

  it.concurrent.for(readers)('pass in $name', {timeout: 900_000}, async ({name, reader}) => {
    const {passed, failed} = await reader.run(site)
    expect(failed).toEqual([])
    counts[name] = passed
  })

  it('are as many in all of them, except for the files that are left out', () => {
    const all = Object.entries(counts['node24-undici'] ?? {})
    expect(all).not.toEqual([])
    const expected = readers.map(({name, reader}): [string, SuiteOutcome['passed']] => [
      name,
      Object.fromEntries(all.filter(([file]) => reader.leftOut[file] === undefined)),
    ])
    expect(counts).toMatchObject(Object.fromEntries(expected))
    for (const [name, passed] of expected) {
      const total = Object.values(passed).reduce((sum, count) => sum + count, 0)
      console.log(`${name}: ${total} tests of the reader passed`)
    }
  })
})

it('guide/runtimes.md has the table of this run', async () => {
  const command = 'WRITE_TABLES=1 npm run test:runtimes'
  await expectInGuide({chapter: 'runtimes.md', name: 'runtimes', command}, formatTable(runs))
})
