// Lists a collection, and makes a span of OpenTelemetry for each exchange, by the semantic conventions of HTTP clients. An
// application has its own exporter, and this program prints the spans. The methods of WebDAV are known ones here, so none is `_OTHER`.

import {type Attributes, SpanKind, SpanStatusCode, trace} from '@opentelemetry/api'
import {
  BasicTracerProvider,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import {basicAuth, DavClient, type DavExchange} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)

const spanProcessors = [new SimpleSpanProcessor(new ConsoleSpanExporter())]
trace.setGlobalTracerProvider(new BasicTracerProvider({spanProcessors}))
const tracer = trace.getTracer('multistatus')

const dav = new DavClient({url: DAV_URL, auth, onExchange: addSpan})
for await (const result of dav.propfind('', {depth: 1})) console.log(result.status, result.href)

function addSpan(exchange: DavExchange): void {
  const {method, url, attempt, startedAt, times, status, error} = exchange
  const {hostname, port, protocol} = new URL(url)
  const attributes: Attributes = {
    'http.request.method': method,
    'url.full': url,
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
    'http.request.body.size': exchange.sentBytes,
    'http.response.body.size': exchange.receivedBytes,
  }
  if (status !== undefined) attributes['http.response.status_code'] = status
  if (attempt > 1) attributes['http.request.resend_count'] = attempt - 1
  const isError = error !== undefined || (status ?? 0) >= 400
  if (isError) attributes['error.type'] = error?.name ?? String(status)
  const options = {kind: SpanKind.CLIENT, startTime: startedAt, attributes}
  const span = tracer.startSpan(method, options)
  if (isError) span.setStatus({code: SpanStatusCode.ERROR, ...(error && {message: error.message})})
  span.end(startedAt + times.end)
}
