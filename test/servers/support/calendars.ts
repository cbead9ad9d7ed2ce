/**
 * Calendars and address books, made by single plain requests. Their servers keep notes on the stored data, so a file on
 * the disk would not be a member. The stored data is read from the disk, without the server.
 */
import {createHash} from 'node:crypto'
import {join} from 'node:path'
import {readTree} from './disk.ts'
import {send, type Sent} from './http.ts'
import type {Server} from './server.ts'

type Kind = 'calendar' | 'addressbook' | 'folder'

const CALDAV = 'urn:ietf:params:xml:ns:caldav'
const CARDDAV = 'urn:ietf:params:xml:ns:carddav'

/** The resource types in Clark notation. */
export const resourceTypes: Readonly<Record<'calendar' | 'addressbook', string>> = {
  calendar: `{${CALDAV}}calendar`,
  addressbook: `{${CARDDAV}}addressbook`,
}

/** Creates a collection for calendars. The path is plain. */
export async function makeHome(server: Server, path: string): Promise<void> {
  await make(server, `${urlOf(server, path)}/`, {method: 'MKCOL'})
}

/** The kind of collection that a server has in its home. */
export function kindOf({recipe}: Server): Kind {
  return recipe.groupware?.stores === 'files' ? 'folder' : 'calendar'
}

/** Creates a calendar, an address book or a folder with members of these names. The path is plain. */
export async function makeCalendar(
  server: Server,
  path: string,
  names: readonly string[],
  kind: Kind = kindOf(server),
): Promise<void> {
  const type = {
    calendar: `<t:calendar xmlns:t="${CALDAV}"/>`,
    addressbook: `<t:addressbook xmlns:t="${CARDDAV}"/>`,
    folder: '',
  }[kind]
  const body = `<mkcol xmlns="DAV:"><set><prop><resourcetype><collection/>${type}</resourcetype></prop></set></mkcol>`
  const headers = {'content-type': 'application/xml; charset=utf-8'}
  const isPlain = kind === 'folder'
  await make(server, `${urlOf(server, path)}/`, {
    method: 'MKCOL',
    ...(!isPlain && {headers, body}),
  })
  // The size of a member depends on its index, so that equal sizes are rare.
  for (const [index, name] of names.entries())
    await putMember(server, `${path}/${name}`, {kind, summary: 'x'.repeat(1 + (index % 50))})
}

/** Writes a member. The path is plain. */
export async function putMember(
  server: Server,
  path: string,
  {kind = kindOf(server), summary = 'a member'}: {kind?: Kind; summary?: string} = {},
): Promise<void> {
  const {type, body} = contentOf(kind, path, summary)
  await make(server, urlOf(server, path), {method: 'PUT', headers: {'content-type': type}, body})
}

/** Makes the content of a member. */
export function contentOf(
  kind: Kind,
  path: string,
  summary: string,
): {readonly type: string; readonly body: string} {
  if (kind === 'folder') return {type: 'text/plain', body: summary}
  return kind === 'calendar'
    ? {type: 'text/calendar', body: eventOf(path, summary)}
    : {type: 'text/vcard', body: cardOf(path, summary)}
}

/** Deletes a resource without the client. */
export async function removeMember(server: Server, path: string): Promise<void> {
  await make(server, urlOf(server, path), {method: 'DELETE'})
}

/** Moves a member without the client. */
export async function renameMember(server: Server, path: string, to: string): Promise<void> {
  const headers = {destination: urlOf(server, to), overwrite: 'F'}
  await make(server, urlOf(server, path), {method: 'MOVE', headers})
}

/** Reads the content below a collection from the disk: size of a member, or `'collection'`, by plain path. */
export async function readStored(
  server: Server,
  collection: string,
): Promise<Map<string, number | 'collection'>> {
  const folder = join(server.root, collection)
  const {isNote} = server.calendars
  const [, ...below] = await readTree(folder)
  return new Map(
    below
      .map(({path, isFolder, size}): [string, number | 'collection'] => [
        path.toString().slice(folder.length + 1),
        isFolder ? 'collection' : size,
      ])
      .filter(([path]) => !path.split('/').some(isNote)),
  )
}

/** Formats the absolute URL of a plain path, without the client. */
export function urlOf(server: Server, path: string): string {
  return server.url() + path.split('/').map(encodeURIComponent).join('/')
}

async function make(server: Server, url: string, sent: Sent): Promise<void> {
  const headers = {...server.credentials, ...sent.headers}
  const {status, text} = await send(url, {...sent, headers})
  if (status < 200 || status > 299) throw new Error(`${sent.method} ${url}: ${status}\n${text}`)
}

function eventOf(path: string, summary: string): string {
  return lines(
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//multistatus//tests//EN',
    'BEGIN:VEVENT',
    `UID:${uidOf(path)}`,
    'DTSTAMP:20260101T000000Z',
    'DTSTART:20260102T100000Z',
    // Cyrus refuses an event without an end.
    'DTEND:20260102T110000Z',
    `SUMMARY:${summary}`,
    'END:VEVENT',
    'END:VCALENDAR',
  )
}

function cardOf(path: string, name: string): string {
  return lines(
    'BEGIN:VCARD',
    'VERSION:3.0',
    `UID:${uidOf(path)}`,
    `FN:${name}`,
    `N:${name};;;;`,
    'END:VCARD',
  )
}

/** Derives a UID from the path. Two members of a calendar may not share one. */
function uidOf(path: string): string {
  return createHash('sha1').update(path).digest('hex')
}

function lines(...all: readonly string[]): string {
  return all.map((line) => `${line}\r\n`).join('')
}
