/**
 * Asks a server whether it honours conditional headers on PUT, by a resource of the client's own. Nine of 25 servers ignore them,
 * such as nginx, rclone, x/net, chezdav and yaws, and overwrite. RFC 9110, section 13.1.
 */

import type {TargetRequest, VerbContext} from '../engine/verb.ts'
import type {DavResult} from '../multistatus/result.ts'
import {untilAborted} from '../protocol/wait.ts'
import {besideOf, removeOwn, tokensOf} from './beside.ts'
import {sendUpload} from './upload.ts'

const NAMES: Readonly<Record<string, string>> = {
  'if-match': 'If-Match',
  'if-none-match': 'If-None-Match',
}

/**
 * Tests the conditions of a request, once for each client. Other calls wait for a probe under way. `left` gets the URL of a probe
 * that may be left.
 *
 * @returns the reason why the request must not be sent.
 */
export async function testConditions(
  request: TargetRequest,
  context: VerbContext,
  left: Set<string>,
): Promise<string | undefined> {
  const {server} = context.session
  while (!isTested(request, context)) {
    if (server.probing === undefined) {
      const probes = sendProbes(request, context, left)
      const end = (): void => {
        server.probing = undefined
      }
      server.probing = probes.then(end, end)
      return (await probes) ?? problemOf(request, context)
    }
    await untilAborted(server.probing, context.connection.ending)
  }
  return problemOf(request, context)
}

function namesOf({conditions = {}}: TargetRequest): readonly string[] {
  return Object.keys(conditions).flatMap((name) => NAMES[name] ?? [])
}

function isTested(request: TargetRequest, {session}: VerbContext): boolean {
  const {capabilities} = session.server
  return namesOf(request).every((name) => capabilities.find(name, request.url) !== undefined)
}

function problemOf(request: TargetRequest, {session}: VerbContext): string | undefined {
  const {capabilities} = session.server
  const ignored = namesOf(request).find((name) => !capabilities.find(name, request.url)?.holds)
  return ignored && `the server ignores ${ignored}`
}

/** Makes a resource, sends two requests for it that must fail, and removes it. */
async function sendProbes(
  request: TargetRequest,
  context: VerbContext,
  left: Set<string>,
): Promise<string | undefined> {
  const url = besideOf(request.url)
  const tokens = tokensOf(request).conditions
  const parents = request.parents === true && {parents: true}
  const body = new TextEncoder().encode('multistatus')
  const content = {body, length: body.length}
  const put = async (condition: Readonly<Record<string, string>>): Promise<DavResult> => {
    const probe = {
      method: 'PUT',
      url,
      ...parents,
      conditions: {...tokens, ...condition},
      attempts: 0,
    }
    return (await sendUpload(probe, context, async () => true, {content, left})).verdict
  }
  try {
    const made = await put({'if-none-match': '*'})
    return made.ok
      ? learn(context, await put({'if-none-match': '*'}), await put({'if-match': '"no-such-etag"'}))
      : untold(made)
  } finally {
    await removeOwn(url, request, context, left)
  }
}

/** Learns from the answers to requests with a false condition. Returns a sentence if they tell nothing. */
function learn(
  {session}: VerbContext,
  ifNoneMatch: DavResult,
  ifMatch: DavResult,
): string | undefined {
  const other = [ifNoneMatch, ifMatch].find(({ok, status}) => !ok && status !== 412)
  if (other !== undefined) return untold(other)
  const {capabilities} = session.server
  capabilities.addAsked('If-None-Match', !ifNoneMatch.ok)
  capabilities.addAsked('If-Match', !ifMatch.ok)
  return undefined
}

function untold({status, description = `answered ${status}`}: DavResult): string {
  return `a probe of its conditions was refused: ${description}`
}
