// States that our messages hold no raw text of a server: no control character, no line feed, no bidirectional override.
// Not in RFC 4918.
import {MultiStatusError} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {bytes, found, multistatus, readToError} from '../support/fixtures.ts'

// oxlint-disable-next-line no-control-regex -- control characters are the subject
const RAW = /[\u0000-\u001F\u007F-\u009F\u2028\u2029]/u
const CSI = '\u009B31m'

function messageOf(body: string, options = {}): string {
  const {error} = readToError(body, options)
  return error instanceof MultiStatusError ? error.message : ''
}

describe('a message', () => {
  it.each<[string, string]>([
    ['an entity', multistatus(`&${CSI};`)],
    ['the beginning of the body', `${CSI}forged`],
    ['a line feed in it', 'x\nforged'],
    ['an end tag', multistatus(`</x${CSI}>`)],
    ['a root', `<x${CSI}/>`],
    ['attributes', multistatus(`<x ${CSI}/>`)],
    ['an element that is cut', `<D:multistatus xmlns:D="DAV:"><x>${CSI}`],
  ])('shows %s without a control character', (_, body) => {
    expect(messageOf(body)).not.toBe('')
    expect(messageOf(body)).not.toMatch(RAW)
  })

  it('names the encoding that is declared', () => {
    const body = `<?xml version="1.0" encoding="gbk"?>${multistatus()}`
    expect(readToError(bytes(body)).error).toMatchObject({
      message: expect.stringContaining('the encoding gbk is not read'),
    })
  })

  it('is no longer than a screen, whatever a name is', () => {
    const long = 'n'.repeat(1000)
    for (const markup of [`<${long} a/>`, `<x ${long}="" ${long}=""/>`, `</${long}>`])
      expect(messageOf(multistatus(markup)).length).toBeLessThan(450)
  })
})

describe('the description of a property that was not decoded', () => {
  it.each<[string, string]>([
    ['getcontentlength', `1${CSI}`],
    ['getlastmodified', 'Sun\nforged'],
    ['resourcetype', `a\u2028${CSI}`],
  ])('shows the value of %s without a control character', (name, value) => {
    const {missing} = found(`<D:${name}>${value}</D:${name}>`)
    expect(missing).toMatchObject([{name, status: 0, description: expect.stringMatching(/./)}])
    expect(missing.at(0)?.description).not.toMatch(RAW)
  })

  it('shows the words of a decoder and of a schema the same way', () => {
    const throws = (value: unknown): never => {
      throw new Error(`not ${String(value)}`)
    }
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => ({issues: [{message: `not ${String(value)}`}]}),
      },
    } as const
    const {missing} = found(`<x:p>${CSI}\n</x:p><x:q>${CSI}\n</x:q>`, {
      decoders: {'{urn:x}p': throws, '{urn:x}q': schema},
    })
    expect(missing).toMatchObject([
      {description: 'the decoder failed: not \\u009b31m '},
      {description: 'not \\u009b31m '},
    ])
  })
})
