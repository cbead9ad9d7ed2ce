/**
 * HTTP Basic with a name and a password outside ASCII, against servers that compare the bytes. No error shows a secret.
 */
import {inspect} from 'node:util'
import {basicAuth, DavClient, DavHttpError} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {protectedServers} from './servers.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection} from './support/trees.ts'
import {transports} from './support/transports.ts'

describeServers(protectedServers, (server) => {
  const {user, password} = server.account

  it.for(transports)('the right password lists, over %s', async ([name, transport]) => {
    await makeCollection(server, `private/${name}`, ['1.txt'])
    const auth = basicAuth(user, password)
    const dav = new DavClient({url: server.url('private'), auth, transport: transport()})

    const {successes, summary} = await dav.propfind(`${name}/`, {depth: 1}).collect()

    expect(successes.map(({url}) => url).toSorted()).toEqual([
      `${server.url('private')}${name}/`,
      `${server.url('private')}${name}/1.txt`,
    ])
    expect(summary).toMatchObject({complete: true})
  })

  it.for(transports)(
    'a wrong password is an error 401 that shows no secret, over %s',
    async ([, transport]) => {
      const wrong = `${password}!`
      const dav = new DavClient({
        url: server.url('private'),
        auth: basicAuth(user, wrong),
        transport: transport(),
      })

      const error = await dav
        .propfind('', {depth: 0})
        .collect()
        .catch((thrown: unknown) => thrown)

      expect(error).toBeInstanceOf(DavHttpError)
      expect(error).toMatchObject({
        status: 401,
        method: 'PROPFIND',
        url: server.url('private'),
        message: expect.stringMatching(
          /^PROPFIND \S+ \(Depth: 0\) answered 401: the server refused the credentials; the server wants Basic/,
        ),
        challenges: [{scheme: 'Basic', realm: expect.any(String)}],
      })
      const shown = [
        String(error),
        JSON.stringify(error),
        inspect(error, {depth: 9, showHidden: true}),
      ].join('\n')
      for (const secret of [wrong, password, basic(user, wrong), encodeURIComponent(wrong)]) {
        expect(shown).not.toContain(secret)
      }
    },
  )

  it('missing credentials are a Failure 401', async () => {
    const dav = new DavClient({url: server.url('private'), transport: undiciTransport()})

    expect(await dav.stat('')).toMatchObject({ok: false, status: 401})
  })

  it('a wrong password yields a Failure 401 for each target of a bulk DELETE', async () => {
    await makeCollection(server, 'private/kept', ['1.txt', '2.txt'])
    const dav = new DavClient({
      url: server.url('private'),
      auth: basicAuth(user, 'guess'),
      transport: undiciTransport(),
    })

    const {successes, failures} = await dav.deleteMany(['kept/1.txt', 'kept/2.txt']).collect()

    expect(successes).toEqual([])
    expect(failures).toMatchObject([
      {relation: 'self', status: 401, reason: 'status'},
      {relation: 'self', status: 401, reason: 'status'},
    ])
    expect(JSON.stringify(failures)).not.toContain('guess')
    expect(JSON.stringify(failures)).not.toContain(basic(user, 'guess'))
  })
})

const basic = (user: string, password: string): string =>
  Buffer.from(`${user}:${password}`).toString('base64')
