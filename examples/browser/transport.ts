// The transport of the page: `fetch`, and XMLHttpRequest for uploads, because `fetch` shows no progress of them.

import type {DavRequest, DavResponse, Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'

/** Callbacks of the transport. */
export interface Watch {
  /** Called when a request goes out. */
  readonly onSend: (request: DavRequest) => void
  /** Called with the bytes of an upload that have gone out. */
  readonly onUpload: (url: string, bytes: number, total: number) => void
}

/** Makes the transport. The browser adds the login of this origin, and asks for one after a 401. */
export function watchedTransport(watch: Watch): Transport {
  const send = fetchTransport({credentials: 'same-origin'})
  return (request) => {
    watch.onSend(request)
    return request.method === 'PUT' && request.body instanceof Blob
      ? upload(request, request.body, watch)
      : send(request)
  }
}

function upload(
  {url, headers, onSent, signal}: DavRequest,
  body: Blob,
  {onUpload}: Watch,
): Promise<DavResponse> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const progress = ({loaded}: ProgressEvent): void => {
      onSent?.(loaded)
      onUpload(url, loaded, body.size)
    }
    request.open('PUT', url)
    request.responseType = 'blob'
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
    request.upload.addEventListener('progress', progress)
    request.upload.addEventListener('load', progress)
    const fail = (): void => reject(new TypeError('The upload broke.'))
    // Firefox 153 has `load` with status 0 for a connection that was closed before the answer.
    request.addEventListener('load', () =>
      request.status === 0 ? fail() : resolve(answerOf(request)),
    )
    request.addEventListener('error', fail)
    request.addEventListener('abort', () => reject(signal?.reason ?? new TypeError('Aborted.')))
    signal?.addEventListener('abort', () => request.abort(), {once: true})
    request.send(body)
    if (signal?.aborted === true) request.abort()
  })
}

function answerOf(request: XMLHttpRequest): DavResponse {
  const {status, response, responseURL} = request
  return {
    status,
    headers: {get: (name) => request.getResponseHeader(name)},
    body: response instanceof Blob ? response.stream() : null,
    // XMLHttpRequest follows redirects by itself. The client tells whether the answer is that of the target.
    url: responseURL,
  }
}
