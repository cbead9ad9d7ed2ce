// States the reading of WWW-Authenticate: several challenges in a line, token68 and parameters among commas, values quoted or
// not. The message of a 401 names them. RFC 9110, section 11.

import fc from 'fast-check'
import {type Challenge, DavHttpError, type FullChallenge, type SentScheme} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {decodeChallenges, withoutParameters} from '../../src/protocol/challenge.ts'

const Basic = {scheme: 'Basic', realm: 'WallyWorld'}

describe('WWW-Authenticate', () => {
  it.each<[string, readonly Challenge[]]>([
    ['Basic realm=WallyWorld', [Basic]],
    ['Basic realm="WallyWorld"', [Basic]],
    ['BarFooScheme, Basic realm=WallyWorld', [{scheme: 'BarFooScheme'}, Basic]],
    ['Negotiate fish, bar=boo, Basic realm=WallyWorld', [{scheme: 'Negotiate'}, Basic]],
    ['Basic realm="WallyWorld" , BarFooScheme', [Basic, {scheme: 'BarFooScheme'}]],
    ['  Basic   realm = "WallyWorld"  ', [Basic]],
    [',, Basic realm=WallyWorld,,', [Basic]],
    ['basic REALM=WallyWorld', [{scheme: 'basic', realm: 'WallyWorld'}]],
    ['Negotiate YII=, Basic realm=WallyWorld', [{scheme: 'Negotiate'}, Basic]],
    ['Negotiate a+/b==', [{scheme: 'Negotiate'}]],
    ['Negotiate, NTLM', [{scheme: 'Negotiate'}, {scheme: 'NTLM'}]],
    ['Basic charset="UTF-8", realm="WallyWorld"', [Basic]],
    [
      'Digest realm="a, b", qop="auth, auth-int", nonce="x=", algorithm=MD5, Basic realm="c"',
      [
        {scheme: 'Digest', realm: 'a, b'},
        {scheme: 'Basic', realm: 'c'},
      ],
    ],
    [
      'Basic realm="say \\"hi\\" \\\\ Bearer x"',
      [{scheme: 'Basic', realm: 'say "hi" \\ Bearer x'}],
    ],
    ['Basic realm=""', [{scheme: 'Basic', realm: ''}]],
    ['Basic realm="no end', [{scheme: 'Basic', realm: 'no end'}]],
    ['Basic realm="no end\\', [{scheme: 'Basic', realm: 'no end'}]],
    ['Basic realm="a", realm="b"', [{scheme: 'Basic', realm: 'a'}]],
    ['Basic realm="ä"', [{scheme: 'Basic', realm: 'ä'}]],
    ['realm="x"', []],
    ['', []],
    ['""', []],
    ['"x", (y), Basic realm=WallyWorld', [Basic]],
  ])('%s names its challenges', (header, challenges) => {
    expect(decodeChallenges(header).map(withoutParameters)).toEqual(challenges)
  })

  it('with nonsense in the middle keeps both of its neighbours', () => {
    const schemes = decodeChallenges('Basic realm=(x), Bearer').map(({scheme}) => scheme)
    expect([schemes[0], schemes.at(-1)]).toEqual(['Basic', 'Bearer'])
  })

  it('that is missing names none', () => {
    expect([decodeChallenges(null), decodeChallenges(undefined)]).toEqual([[], []])
  })

  it('finds Basic whatever is around it', () => {
    const other = fc.constantFrom(
      'Foo',
      'Foo bar==',
      'Foo a=b',
      'Foo a="b, c=\\"d\\""',
      'Foo a=b, c=d',
    )
    fc.assert(
      fc.property(
        fc.array(other),
        fc.array(other),
        fc.constantFrom(',', ', ', ' , '),
        (...parts) => {
          const [before, after, comma] = parts
          const header = [...before, 'Basic realm="WallyWorld"', ...after].join(comma)
          const found = decodeChallenges(header).map(withoutParameters)
          expect(found.filter(({scheme}) => scheme === 'Basic')).toEqual([Basic])
          expect(decodeChallenges(header)).toHaveLength(before.length + 1 + after.length)
        },
      ),
    )
  })

  it('ends, whatever it holds, in time that does not grow with the square of its length', () => {
    fc.assert(
      fc.property(fc.string({unit: fc.constantFrom(...'aB=",\\ ~(\t')}), (header) => {
        decodeChallenges(header)
      }),
    )
    for (const piece of ['a=', '"', '\\', 'a ', 'a=",', ', ', 'a b=', '('])
      decodeChallenges(piece.repeat(100_000))
    expect(decodeChallenges(`Digest realm="${'x'.repeat(20_000_000)}"`)).toHaveLength(1)
  })
})

describe('the message of a 401', () => {
  const request = {method: 'PROPFIND', url: 'https://dav.example/', status: 401, conditions: []}
  const digest = {scheme: 'Digest', realm: 'Files'}

  it.each<[SentScheme | undefined, readonly (Challenge | FullChallenge)[], string]>([
    ['none', [], ': the client sent no credentials'],
    [
      'none',
      [Basic],
      ': the client sent no credentials; the server wants Basic (realm "WallyWorld")',
    ],
    [
      'none',
      [digest, Basic],
      ': the client sent no credentials; the server wants Digest (realm "Files"), Basic (realm "WallyWorld")',
    ],
    ['none', [digest], ': the client sent no credentials; the server wants Digest (realm "Files")'],
    ['Basic', [digest], ': the client sent Basic, and the server wants Digest (realm "Files")'],
    [
      'Digest',
      [{...digest, parameters: {algorithm: 'SHA-3', nonce: 'n'}}],
      ': the server refused the credentials; the server wants Digest (realm "Files", algorithm SHA-3)',
    ],
    [
      'Bearer',
      [{scheme: 'Negotiate'}, {scheme: 'NTLM'}],
      ': the server wants Negotiate, NTLM, and this client has Basic, Digest and Bearer',
    ],
    ['Basic', [], ': the server refused the credentials'],
    ['Basic', [{scheme: 'BASIC'}], ': the server refused the credentials; the server wants BASIC'],
    ['Basic', [{scheme: 'Bearer'}], ': the client sent Basic, and the server wants Bearer'],
    [
      'Bearer',
      [{scheme: 'Basic', realm: ''}],
      ': the client sent Bearer, and the server wants Basic',
    ],
    [
      'other',
      [digest],
      ': the server refused the credentials; the server wants Digest (realm "Files")',
    ],
    [undefined, [digest], ''],
  ])('to %s credentials and %j is %s', (sent, challenges, words) => {
    const error = new DavHttpError({...request, sent, challenges})
    expect(error.message).toBe(`PROPFIND https://dav.example/ answered 401${words}`)
    expect(error.challenges).toEqual(challenges.map(withoutParameters))
  })

  it('has a realm of the server in one line, and not all of a long one', () => {
    const realm = `\n\u001B[31m${'x'.repeat(5000)}`
    const {message} = new DavHttpError({
      ...request,
      sent: 'none',
      challenges: [{scheme: 'Basic', realm}],
    })
    expect(message).not.toMatch(/[\n\u001B]/)
    expect(message.length).toBeLessThan(500)
  })
})
