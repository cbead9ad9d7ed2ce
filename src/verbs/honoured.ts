/**
 * Asks a server whether it honours conditional headers on PUT, by a resource of the client's own. nginx, rclone, x/net, chezdav,
 * yaws and others ignore If-Match or If-None-Match, and overwrite. RFC 9110, section 13.1.
 */

import type {TargetRequest, VerbContext} from '../engine/verb.ts'
import type {DavResult} from '../multistatus/result.ts'
import {untilAborted} from '../protocol/wait.ts'
import {besideOf, removeOwn, tokensOf} from './beside.ts'
import {sendUpload} from './upload.ts'

/** The findings about the conditions of a request. */
interface Findings {
  /** The reason why the request must not be sent. */
  readonly problem?: string | undefined
  /** A sentence on a probe that could not be removed. */
  readonly note?: string | undefined
}

interface ProbeFindings extends Findings {
  /** The names of the honoured headers; absent if the server did not tell. */
  readonly honoured?: ReadonlySet<string>
}

const NAMES: Readonly<Record<string, string>> = {
  'if-match': 'If-Match',
  'if-none-match': 'If-None-Match',
}

/** Tests the conditions of a request, once for each client. Other calls wait for the first one. */
export async function testConditions(
  request: TargetRequest,
  context: VerbContext,
): Promise<Findings> {
  const {server} = context.session
  for (let asked = server.honoured; asked !== undefined; asked = server.honoured) {
    const honoured = await untilAborted(asked, context.connection.ending)
    if (honoured !== undefined) return {problem: problemOf(request, honoured)}
    if (server.honoured === asked) server.honoured = undefined
  }
  const probes = sendProbes(request, context)
  server.honoured = probes.then(
    ({honoured}) => honoured,
    () => undefined,
  )
  const {honoured, problem, note} = await probes
  return {problem: honoured === undefined ? problem : problemOf(request, honoured), note}
}

function problemOf({conditions = {}}: TargetRequest, honoured: ReadonlySet<string>) {
  const ignored = Object.keys(conditions).find((name) => name in NAMES && !honoured.has(name))
  return ignored === undefined ? undefined : `the server ignores ${NAMES[ignored]}`
}

/** Makes a resource, and sends two requests for it that must fail. */
async function sendProbes(request: TargetRequest, context: VerbContext): Promise<ProbeFindings> {
  const url = besideOf(request.url)
  const tokens = tokensOf(request).conditions
  const body = new TextEncoder().encode('multistatus')
  const content = {body, length: body.length, close: async () => {}}
  const put = async (condition: Readonly<Record<string, string>>): Promise<DavResult> => {
    const parents = request.parents === true && {parents: true}
    const conditions = {...tokens, ...condition}
    const probe = {method: 'PUT', url, ...parents, conditions, attempts: 0}
    return (await sendUpload(probe, context, async () => true, {content})).verdict
  }
  let findings: ProbeFindings | undefined
  let note: string | undefined
  try {
    const made = await put({'if-none-match': '*'})
    findings = made.ok
      ? findingsOf(await put({'if-none-match': '*'}), await put({'if-match': '"multistatus"'}))
      : untold(made)
  } finally {
    note = await removeOwn(url, request, context)
  }
  return {...findings, note}
}

/** Reads the answers to requests with a false condition. */
function findingsOf(ifNoneMatch: DavResult, ifMatch: DavResult): ProbeFindings {
  const other = [ifNoneMatch, ifMatch].find(({ok, status}) => !ok && status !== 412)
  if (other !== undefined) return untold(other)
  const honoured = new Set<string>()
  if (!ifNoneMatch.ok) honoured.add('if-none-match')
  if (!ifMatch.ok) honoured.add('if-match')
  return {honoured}
}

function untold({status, description = `answered ${status}`}: DavResult): ProbeFindings {
  return {problem: `a probe of its conditions was refused: ${description}`}
}
