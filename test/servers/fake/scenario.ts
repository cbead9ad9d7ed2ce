/**
 * One scenario for all servers: requests of two clients in an empty collection, one after the other, each with its outcome in a line. The
 * fake server of the kit has to give the lines of real servers.
 */
import {
  type DavClient,
  DavError,
  type DavResult,
  decodePath,
  type Failure,
  isCollection,
  type ListingStream,
} from 'multistatus'

/** The outcome of each step, by its name. */
export type Outcomes = Readonly<Record<string, string>>

/**
 * Plays the scenario.
 *
 * @param dav - The client of an empty collection.
 * @param other - A client of somebody else.
 */
export async function play(dav: DavClient, other: DavClient): Promise<Outcomes> {
  const outcomes: Record<string, string> = {}
  const base = dav.url
  const name = (one: {readonly url: string}): string =>
    (decodePath(one) ?? one.url).slice(decodePath(base)?.length)
  const tell = (result: DavResult | Failure): string => {
    const members = (result.members ?? []).map((member) => ` ${name(member)}: ${member.status}`)
    return result.status + (result.ok ? '' : ` ${result.reason}`) + members.toSorted().join('')
  }
  const step = async (
    what: string,
    run: () => Promise<string | DavResult | Failure>,
  ): Promise<void> => {
    outcomes[what] = await run().then(
      (told) => (typeof told === 'string' ? told : tell(told)),
      (error: unknown) => {
        if (error instanceof DavError) return error.message.replaceAll(base, '')
        throw error
      },
    )
  }
  const list = async (listing: ListingStream): Promise<string> => {
    const {successes, summary} = await listing.collect()
    const paths = successes.map(
      (one) => name(one).replace(/\/$/, '') + (isCollection(one) === true ? '/' : ''),
    )
    return `${paths.toSorted().join(' ')}${summary.complete ? '' : ' incomplete'}`
  }
  const read = async (client: DavClient, path: string): Promise<string> => {
    const answer = await client.get(path)
    return answer.ok ? answer.text() : tell(answer)
  }

  await step('PUT of a new file', () => dav.put('a.txt', 'one', {type: 'text/plain'}))
  await step('PUT over a file', () => dav.put('a.txt', 'two', {type: 'text/plain'}))
  await step('PUT where nothing may be', () => dav.put('a.txt', 'no', {create: true}))
  await step('PUT over another version', () => dav.put('a.txt', 'no', {ifMatch: '"none"'}))
  await step('PUT below a missing collection', () => dav.put('none/a.txt', 'no'))
  await step('PUT of a name to be escaped', () => dav.put('100%25%20%231%3F.txt', 'odd'))
  await step('GET', () => read(dav, 'a.txt'))
  await step('GET of a range', async () => {
    const part = await dav.get('a.txt', {range: {start: 1, end: 1}})
    return part.ok ? `${part.status} ${await part.text()}` : tell(part)
  })
  await step('GET of a range beyond the end', async () =>
    tell(await dav.get('a.txt', {range: {start: 9}})),
  )
  await step('GET of a known version', async () => {
    const {ok, etag = ''} = await dav
      .stat('a.txt')
      .then((found) => ({ok: found.ok, etag: found.ok ? found.properties.getetag : ''}))
    return ok && etag !== '' ? tell(await dav.get('a.txt', {ifNoneMatch: etag})) : 'no ETag'
  })
  await step('GET of a missing file', async () => tell(await dav.get('none.txt')))
  await step('MKCOL', () => dav.mkcol('c/'))
  await step('MKCOL of a collection that exists', () => dav.mkcol('c/'))
  await step('MKCOL below a missing collection', () => dav.mkcol('none/c/'))
  await step('PUT into a collection', () => dav.put('c/1.txt', '1'))
  await step('MKCOL in a collection', () => dav.mkcol('c/d/'))
  await step('PUT deeper', () => dav.put('c/d/2.txt', '22'))
  await step('PROPFIND with Depth 0', () => list(dav.propfind('c/', {depth: 0})))
  await step('PROPFIND with Depth 1', () => list(dav.propfind('', {depth: 1})))
  await step('PROPFIND with Depth infinity', () => list(dav.propfind('c/', {depth: 'infinity'})))
  await step('PROPFIND of a file with its properties', async () => {
    const found = await dav.stat('c/d/2.txt', {
      properties: ['getcontentlength', 'resourcetype', '{urn:x}none'],
    })
    const missing = found.missing.map((one) => ` ${one.name}: ${one.status}`)
    return found.ok
      ? `${found.properties.getcontentlength} bytes, types [${String(found.properties.resourcetype)}]${missing.join('')}`
      : tell(found)
  })
  await step('PROPFIND of a missing file', () => dav.stat('none.txt'))
  await step('PROPPATCH', async () => {
    const patched = await dav.proppatch('a.txt', {set: {'{urn:x}p': 'value'}})
    const found = await dav.stat('a.txt', {properties: ['{urn:x}p']})
    return `${tell(patched)}, then ${found.ok ? (found.properties['{urn:x}p'] as string | undefined) : tell(found)}`
  })
  await step('PROPPATCH of a protected property', async () => {
    const {ok, missing} = await dav.proppatch('a.txt', {set: {'{urn:x}q': 'value', getetag: '"1"'}})
    return `${ok}${missing
      .map((one) => ` ${one.name}: ${one.status}`)
      .toSorted()
      .join('')}`
  })
  await step('COPY of a file', () => dav.copy('a.txt', 'b.txt'))
  await step('COPY over a file', () => dav.copy('a.txt', 'b.txt'))
  await step('COPY over a file, overwrite', () => dav.copy('a.txt', 'b.txt', {overwrite: true}))
  await step('COPY of a missing file', () => dav.copy('none.txt', 'e.txt'))
  await step('COPY below a missing collection', () => dav.copy('a.txt', 'none/e.txt'))
  await step('COPY of a collection', () => dav.copy('c/', 'e/'))
  await step('COPY of a collection with Depth 0', () => dav.copy('c/', 'f/', {depth: 0}))
  await step('the copies', () => list(dav.walk('')))
  await step('MOVE of a file', () => dav.move('b.txt', 'g.txt'))
  await step('MOVE over a file', () => dav.move('g.txt', 'a.txt'))
  await step('MOVE over a file, overwrite', () => dav.move('g.txt', 'a.txt', {overwrite: true}))
  await step('MOVE of a missing file', () => dav.move('none.txt', 'h.txt'))
  await step('MOVE of a collection', () => dav.move('e/', 'h/'))
  await step('MOVE of a collection over one', () => dav.move('f/', 'h/', {overwrite: true}))
  await step('the moved', () => list(dav.walk('')))
  await step('OPTIONS', async () => {
    const capabilities = await dav.options('')
    return capabilities.ok
      ? `classes ${capabilities.classes.filter((one) => /^[12]$/.test(one)).join(' ')}`
      : tell(capabilities)
  })
  const lock = await dav.lock('c/d/2.txt', {owner: 'Ana', timeout: 600_000})
  await step('LOCK', async () =>
    lock.ok ? `${lock.status}, for some time: ${lock.timeout > 0}` : tell(lock),
  )
  await step('LOCK of a locked file', async () =>
    tell(await other.lock('c/d/2.txt', {owner: 'Ben'})),
  )
  await step('PUT over a locked file by others', () => other.put('c/d/2.txt', 'no'))
  await step('PUT over a locked file', () => dav.put('c/d/2.txt', 'yes'))
  await step('DELETE of a locked file by others', () => other.delete('c/d/2.txt'))
  await step('MOVE of a locked file by others', () => other.move('c/d/2.txt', 'i.txt'))
  await step('DELETE of a collection with a locked member by others', () => other.delete('c/'))
  await step('the rest of that collection', () => list(dav.walk('c/')))
  await step('refresh', async () => (lock.ok ? tell(await lock.refresh()) : 'no lock'))
  await step('UNLOCK', async () => (lock.ok ? tell(await lock.unlock()) : 'no lock'))
  await step('PUT after UNLOCK by others', () => other.put('c/d/2.txt', 'other'))
  await step('DELETE of another version', () => dav.delete('a.txt', {ifMatch: '"none"'}))
  await step('DELETE of a file', () => dav.delete('a.txt'))
  await step('DELETE of a missing file', () => dav.delete('a.txt'))
  await step('DELETE of a collection', () => dav.delete('c/'))
  await step('deleteMany', async () => {
    const {successes, failures} = await dav
      .deleteMany(['h/', 'none', '100%25%20%231%3F.txt'])
      .collect()
    return [...successes, ...failures]
      .map((one) => `${name(one)}: ${one.status}`)
      .toSorted()
      .join(' ')
  })
  await step('the end', () => list(dav.walk('')))
  return outcomes
}
