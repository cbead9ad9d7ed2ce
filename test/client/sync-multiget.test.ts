// States five answers of calendar servers to a sync and a multiget. tsdav 2.3.4 loses changes or the whole sync with each of them:
// a page cut by 507, a lost token, a member without a suffix, a member that is gone at the multiget, a body that is cut off.
// RFC 6578, section 3; RFC 4791, section 7.9.

import {DavClient, SyncState} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {multistatusBody} from 'multistatus/testing'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  CLOSE,
  type FaultServer,
  startFaultServer,
} from '../support/fault-server.ts'
import {readToEnd} from '../support/results.ts'
import {change, cut, member, page, readSync, refusal, tokenOf} from '../support/sync-answers.ts'

vi.setConfig({testTimeout: 4000})

const DATA = '{urn:ietf:params:xml:ns:caldav}calendar-data'
const MULTIGET = '{urn:ietf:params:xml:ns:caldav}calendar-multiget'

let server: FaultServer
let dav: DavClient
let state: SyncState

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport: undiciTransport()})
  state = await SyncState.read([
    JSON.stringify({version: 1, url: `${server.url}cal/`, level: 1}),
    '["a.ics","\\"1\\""]',
    '["b.ics","\\"1\\""]',
    '{"token":"t1"}',
  ])
})

afterEach(() => server.close())

const tokens = (): readonly (string | undefined)[] => server.requests.map(({body}) => tokenOf(body))

/** An answer whose connection ends before its root does. */
function cutOff({body, ...answer}: Answer): Answer {
  if (typeof body !== 'string') throw new Error('the answer has no text')
  return {
    ...answer,
    headers: {...answer.headers, 'transfer-encoding': 'none'},
    body: [body.replace(/<\/D:multistatus>\s*$/, ''), CLOSE],
  }
}

describe('a sync of a calendar', () => {
  it('reads on behind a page that is cut by 507', async () => {
    server.answers(
      page('p1', cut('/cal/'), member('/cal/a.ics', '2')),
      page('t2', member('/cal/b.ics', '2')),
    )
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['changed /cal/a.ics "2"', 'changed /cal/b.ics "2"'])
    expect(summary).toMatchObject({complete: true, syncToken: 't2'})
    expect(tokens()).toEqual(['t1', 'p1'])
  })

  it('begins anew after 403 valid-sync-token', async () => {
    server.answers(refusal(403, 'valid-sync-token'), page('t2', member('/cal/a.ics', '1')))
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['gone /cal/b.ics'])
    expect(summary).toMatchObject({complete: true, syncToken: 't2'})
  })

  it('gives a member without .ics', async () => {
    server.answers(page('t2', member('/cal/0b1c2d', '1')))
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['changed /cal/0b1c2d "1"'])
  })

  it('goes on in a multiget whose answer has one 404', async () => {
    const data = {href: '/cal/a.ics', properties: {[DATA]: 'BEGIN:VCALENDAR'}}
    server.answers(
      page('t2', member('/cal/a.ics', '2'), member('/cal/b.ics', '2')),
      answer207(multistatusBody([data, {href: '/cal/b.ics', status: 404}])),
    )
    const changes = dav.sync('cal/', {state})
    const {successes, failures} = await dav
      .multiget('cal/', changes, {report: MULTIGET, properties: [DATA]})
      .collect()
    expect(successes.map(({href, properties}) => [href, properties[DATA]])).toEqual([
      ['/cal/a.ics', 'BEGIN:VCALENDAR'],
    ])
    expect(failures).toMatchObject([{url: `${server.url}cal/b.ics`, status: 404}])
    expect(await changes.summary).toMatchObject({complete: true, syncToken: 't2'})
  })

  it('does not take a body that is cut off for a whole one', async () => {
    server.answers(
      cutOff(page('t2', member('/cal/a.ics', '2'))),
      page('t2', member('/cal/a.ics', '2'), member('/cal/b.ics', '2')),
    )
    const {results, error} = await readToEnd(dav.sync('cal/', {state}))
    expect(results.map(change)).toEqual(['changed /cal/a.ics "2"'])
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
    const next = dav.sync('cal/', {state})
    expect((await next.collect()).successes.map(change)).toEqual(['changed /cal/b.ics "2"'])
    expect(tokens()).toEqual(['t1', 't1'])
  })
})
