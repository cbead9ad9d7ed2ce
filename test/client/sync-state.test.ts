// States the JSON lines of a SyncState: a journal whose later lines win, and of which the last line may be cut off.

import {DavClient, keyOf, SyncState} from 'multistatus'
import {multistatusBody} from 'multistatus/testing'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {answer207, CLOSE, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {readToEnd} from '../support/results.ts'
import {
  change,
  cut,
  listingOf,
  member,
  page,
  readSync,
  removed,
  tokenOf,
} from '../support/sync-answers.ts'

const header = '{"version":1,"url":"https://dav.example/cal/","level":1}'

async function linesAfter(...lines: readonly string[]): Promise<readonly string[]> {
  return [...(await SyncState.read(lines)).lines()]
}

describe('the lines of a SyncState', () => {
  it('are none for a new state', () => {
    expect([...new SyncState().lines()]).toEqual([])
  })

  it('are the collection, a line for each resource, and the token', async () => {
    const lines = [header, '["a","\\"1\\""]', '["b",""]', '{"token":"t1"}']
    expect(await linesAfter(...lines)).toEqual(lines)
  })

  it('have a later line win', async () => {
    const state = await SyncState.read([
      header,
      '["a","\\"1\\""]',
      '["b","\\"1\\""]',
      '{"token":"t1"}',
      '',
      header,
      '["a","\\"2\\""]',
      '["b"]',
      '{"token":"t2"}',
    ])
    expect([...state.lines()]).toEqual([header, '["a","\\"2\\""]', '{"token":"t2"}'])
    expect([state.token, state.size]).toEqual(['t2', 1])
  })

  it('are read from a text, from lines with their ends, and from a stream', async () => {
    const text = `${header}\n["a","1"]\r\n{"token":"t"}\n`
    const stream = new Blob([text]).stream().pipeThrough(new TextDecoderStream())
    const whole: string[] = []
    for await (const chunk of stream) whole.push(...chunk.split('\n'))
    for (const lines of [text, text.split('\n').map((line) => `${line}\n`), whole])
      expect((await SyncState.read(lines)).token).toBe('t')
  })

  it('may be cut off at any byte: the state is that of the whole lines', async () => {
    const lines = [
      header,
      '["ä","\\"1\\""]',
      '["b","\\"1\\""]',
      '{"token":"t1"}',
      '["b"]',
      '{"token":"t2"}',
    ]
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
    for (let end = 0; end <= bytes.length; end++) {
      const text = new TextDecoder().decode(bytes.subarray(0, end))
      const state = await SyncState.read(text.split('\n'))
      const whole = lines.filter((line) => text.includes(line))
      const expected = whole.length < 4 ? undefined : whole.length < 6 ? 't1' : 't2'
      expect([end, state.token]).toEqual([end, expected])
      expect([end, state.size]).toEqual([end, [0, 0, 1, 2, 2, 1, 1][whole.length]])
    }
  })

  it.each([
    ['a text of something else', ['hello', 'world']],
    ['one line of something else', ['<html>']],
    ['two lines that are cut off', ['{"version":1', '["a"']],
    ['pieces of lines', ['{"version":', '1,"url":"https://dav.example/"}']],
  ])('are no state: %s', async (_what, lines) => {
    await expect(SyncState.read(lines)).rejects.toThrow(SyntaxError)
  })

  it('may be given as pages', async () => {
    const pages = [`${header}\n["a","\\"1\\""]\n`, '["b",""]\n{"token":"t1"}\n']
    expect(await linesAfter(...pages)).toEqual(pages.join('').trim().split('\n'))
  })

  it('go on behind a line that was cut off, with the collection of the next page', async () => {
    expect(await linesAfter(header, '["a","\\"1', '', header, '["b","\\"1\\""]')).toEqual([
      header,
      '["b","\\"1\\""]',
    ])
    expect(await linesAfter('{"version":1,"u', '', header)).toEqual([header])
  })

  it.each([
    ['a broken line in the middle', header, '["a","\\"1', '["b","\\"1\\""]'],
    ['a resource before the collection', '["a","1"]'],
    ['another version', '{"version":2,"url":"https://dav.example/cal/","level":1}'],
    ['another collection', header, header.replace('/cal/', '/other/')],
    ['another level', header, header.replace('1}', '"infinity"}')],
    ['no URL', '{"version":1,"url":"cal","level":1}'],
    ['a number as ETag', header, '["a",1]'],
    ['a number as token', header, '{"token":1}'],
    ['no JSON object', header, '5'],
    ['nothing known', header, '{"tokn":"t1"}'],
  ])('are refused with a SyntaxError: %s', async (_, ...lines) => {
    await expect(SyncState.read(lines)).rejects.toThrow(
      new SyntaxError(`Line ${lines.length} is not a line of this SyncState`),
    )
  })

  it('hold names that every object inherits', async () => {
    const state = await SyncState.read([
      header,
      '["__proto__","\\"1\\""]',
      '["constructor","\\"2\\""]',
    ])
    const etagOf = (name: string): string | undefined =>
      state.get(keyOf({url: `https://dav.example/cal/${name}`}))
    expect(['__proto__', 'constructor', 'toString'].map(etagOf)).toEqual(['"1"', '"2"', undefined])
  })

  it('give the ETag of a resource in any spelling of its URL, and nothing of another collection', async () => {
    const state = await SyncState.read([header, '["%C3%A4","\\"1\\""]'])
    const etagOf = (url: string): string | undefined => state.get(keyOf({url}))
    expect(etagOf('https://dav.example/cal//%c3%a4')).toBe('"1"')
    expect(etagOf('https://dav.example/car/%C3%A4')).toBeUndefined()
    expect(etagOf('https://other.example/cal/%C3%A4')).toBeUndefined()
  })
})

describe('the journal of a sync', () => {
  let server: FaultServer
  let dav: DavClient
  let url: string

  beforeEach(async () => {
    server = await startFaultServer()
    dav = new DavClient({url: server.url, transport: undiciTransport()})
    url = `${server.url}cal/`
  })

  afterEach(() => server.close())

  const saves: string[] = []
  const onPage = (lines: string): void => {
    saves.push(lines)
  }
  const read = (): Promise<SyncState> => SyncState.read(saves.join('').split('\n'))

  beforeEach(() => {
    saves.length = 0
  })

  it('has the names of changed resources before their results, and the ETags and the token behind them', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('t1', member('/cal/b', '1'), removed('/cal/a')),
    )
    await readSync(dav.sync('cal/', {state: new SyncState(), onPage}))
    const begin = `\n{"version":1,"url":"${url}","level":1}\n`
    expect(saves).toEqual([
      `${begin}["a","?"]\n`,
      `${begin}["a","\\"1\\""]\n{"token":"p1"}\n`,
      `${begin}["b","?"]\n["a","?"]\n`,
      `${begin}["b","\\"1\\""]\n["a"]\n{"token":"t1"}\n`,
    ])
  })

  it('costs no request: a new resource, whose name it has already, is no sign of a silent full listing', async () => {
    server.answers(
      page('t1', member('/cal/a', '1'), member('/cal/b', '1')),
      page('t2', member('/cal/c', '1'), removed('/cal/b')),
    )
    const state = new SyncState()
    await readSync(dav.sync('cal/', {state, onPage}))
    const {summary} = await readSync(dav.sync('cal/', {state, onPage}))
    expect(summary).toMatchObject({complete: true, syncToken: 't2', requests: 1})
  })

  it('is not written if nothing changed', async () => {
    server.answers(page('t1', member('/cal/a', '1')), page('t1'))
    const state = new SyncState()
    await readSync(dav.sync('cal/', {state, onPage}))
    saves.length = 0
    await readSync(dav.sync('cal/', {state, onPage}))
    expect(saves).toEqual([])
  })

  it('does not have the ETags of results that were not taken, and they come again', async () => {
    server.answers(page('t1', member('/cal/a', '1')))
    await readSync(dav.sync('cal/', {state: new SyncState(), onPage}))
    server.answers(page('t2', member('/cal/c', '1'), member('/cal/d', '1')))
    for await (const result of dav.sync('cal/', {state: await read(), onPage})) {
      expect(result.ok).toBe(true)
      break
    }
    expect([...(await read()).lines()].slice(1)).toEqual([
      '["a","\\"1\\""]',
      '{"token":"t1"}',
      '["c","?"]',
      '["d","?"]',
    ])
    // A result that comes again may be of a silent full listing, so the server is asked for another member.
    server.answers(
      page('t2', member('/cal/c', '1'), removed('/cal/d')),
      listingOf(member('/cal/a', '1')),
    )
    const {changes} = await readSync(dav.sync('cal/', {state: await read(), onPage}))
    expect(changes).toEqual(['changed /cal/c "1"', 'gone /cal/d'])
  })

  it('has the results before a broken page, and goes on with its first token', async () => {
    server.answers(page('p1', member('/cal/a', '1'), cut('/cal/')), CLOSE)
    const {error} = await readToEnd(dav.sync('cal/', {state: new SyncState(), onPage}))
    expect(error).toMatchObject({name: 'DavNetworkError'})
    server.forget()
    server.answers(page('t1', member('/cal/b', '1')))
    const {changes} = await readSync(dav.sync('cal/', {state: await read(), onPage}))
    expect(changes).toEqual(['changed /cal/b "1"'])
    expect(server.requests[0]?.body).toContain('<D:sync-token>p1</D:sync-token>')
    expect((await read()).size).toBe(2)
  })

  it.each([
    ['changed', [member('/cal/b', '2')], 'changed /cal/b "2"', 'changed /cal/b "1"'],
    ['gone', [removed('/cal/b')], 'gone /cal/b', 'changed /cal/b "1"'],
  ])(
    'tells that a resource which was %s at a kill has changed back, though the server does not name it',
    async (_, rows, told, toldLater) => {
      const changed = page('t2', ...rows)
      const before = page('t1', member('/cal/a', '1'), member('/cal/b', '1'))
      server.script(({body}) => (tokenOf(body) === '' ? before : changed))
      await readSync(dav.sync('cal/', {state: new SyncState(), onPage}))
      for await (const result of dav.sync('cal/', {state: await read(), onPage})) {
        expect(change(result)).toBe(told)
        break
      }
      server.script(({body}) => (tokenOf(body) === '' ? before : page('t1')))
      const {changes, summary} = await readSync(dav.sync('cal/', {state: await read(), onPage}))
      expect(changes).toEqual([toldLater])
      expect(summary).toMatchObject({complete: true, syncToken: 't1', covers: 'all', requests: 2})
      server.forget()
      const last = await readSync(dav.sync('cal/', {state: await read(), onPage}))
      expect(last).toMatchObject({changes: [], summary: {complete: true, requests: 1}})
    },
  )

  it('tells that a new resource which was taken before a failed one is gone, though the server does not name it', async () => {
    server.answers(page('t1', member('/cal/a', '1')))
    await readSync(dav.sync('cal/', {state: new SyncState(), onPage}))
    server.answers(page('t2', member('/cal/new', '1'), {href: '/cal/a', status: 500}))
    const state = await read()
    await readSync(dav.sync('cal/', {state, onPage}))
    const compact = await SyncState.read(state.lines())
    for (const one of [await read(), compact, state]) {
      server.script(({body}) =>
        tokenOf(body) === '' ? page('t3', member('/cal/a', '1')) : page('t1'),
      )
      const {changes} = await readSync(dav.sync('cal/', {state: one}))
      expect(changes).toEqual(['gone /cal/new'])
    }
  })

  it('has the last of the rows of one resource', async () => {
    server.answers(page('t1', member('/cal/a', '1'), member('/cal/b', '1')))
    await readSync(dav.sync('cal/', {state: new SyncState(), onPage}))
    server.answers(
      page(
        't2',
        removed('/cal/a'),
        member('/cal/a', '1'),
        member('/cal/n', '1'),
        removed('/cal/%6E'),
        member('/cal/b', '2'),
        member('http://inner.example/cal//%62/', '1'),
      ),
    )
    const state = await read()
    const {changes} = await readSync(dav.sync('cal/', {state, onPage}))
    expect(changes).toEqual([
      'gone /cal/a',
      'changed /cal/a "1"',
      'changed /cal/n "1"',
      'gone /cal/%6E',
      'changed /cal/b "2"',
      'changed http://inner.example/cal//%62/ "1"',
    ])
    for (const one of [state, await read()])
      expect([...one.lines()].slice(1)).toEqual([
        '["a","\\"1\\""]',
        '["b","\\"1\\""]',
        '{"token":"t2"}',
      ])
  })

  it('is written by one sync at a time, until its last lines are saved', async () => {
    const row = multistatusBody([member('/cal/a', '1')]).replace(/<\/[^>]*>$/, '')
    server.answers(answer207([row, CLOSE], {'transfer-encoding': 'none'}), page('t1'))
    const state = new SyncState()
    const errors: unknown[] = []
    const save = async (lines: string): Promise<void> => {
      saves.push(lines)
      errors.push((await readToEnd(dav.sync('cal/', {state}))).error)
    }
    await readToEnd(dav.sync('cal/', {state, onPage: save}))
    expect(saves.map((lines) => lines.trim().split('\n').at(-1))).toEqual([
      '["a","?"]',
      '["a","\\"1\\""]',
    ])
    expect(errors).toEqual([expect.any(TypeError), expect.any(TypeError)])
  })

  it('that cannot be written ends the sync, and the next sync writes its lines too', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('t1', member('/cal/b', '1')),
    )
    const state = new SyncState()
    const full = new Error('no space left')
    const failed = dav.sync('cal/', {
      state,
      onPage: (lines) => {
        if (lines.includes('token')) throw full
        saves.push(lines)
      },
    })
    expect((await readToEnd(failed)).error).toBe(full)
    expect(server.requests).toHaveLength(1)
    await readSync(dav.sync('cal/', {state, onPage}))
    expect([...(await read()).lines()].slice(1)).toEqual([
      '["a","\\"1\\""]',
      '["b","\\"1\\""]',
      '{"token":"t1"}',
    ])
  })

  it('is saved in pieces of 1,000 lines within a long page', async () => {
    const many = Array.from({length: 2500}, (_, index) => member(`/cal/${index}`, '1'))
    server.answers(page('t1', ...many))
    const counts: number[] = []
    await readSync(
      dav.sync('cal/', {
        state: new SyncState(),
        onPage: (lines) => {
          counts.push(lines.split('\n').length - 3)
        },
      }),
    )
    expect(counts.length).toBeGreaterThan(1)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5001)
  })
})
