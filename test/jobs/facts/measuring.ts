/** Facts about the spans and counters of a worker, by the SDK of OpenTelemetry. */

import * as api from '@opentelemetry/api'
import {
  AggregationTemporality,
  type DataPoint,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import {createJob, runJob, type Telemetry} from 'multistatus/jobs'
import {describe, expect, it} from 'vitest'

import {clientOf, fill, SOON, type Using} from '../support/bench.ts'

export function describeMeasuring(using: Using): void {
  describe('the telemetry of a worker', () => {
    it(
      'has a span for the job and for each unit, and counts what the report counts',
      using(async ({ledger, server, dav}) => {
        fill(server, 'a/', 10)
        fill(server, 'a/b/', 10)
        server.fault({method: 'DELETE', path: 'a/1', status: 403})
        server.fault({method: 'DELETE', path: 'a/2', status: 503, times: 1})
        server.fault({method: 'DELETE', path: 'a/3', reset: true, obeyed: true, times: 1})
        const retry = {attempts: 2, ...SOON}
        const options = {kind: 'delete', tree: 'a/', unitSize: 5, retry} as const
        const job = await createJob(ledger, options, dav)
        const spans = new InMemorySpanExporter()
        const tracers = new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(spans)]})
        const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
        const reader = new PeriodicExportingMetricReader({exporter: metrics})
        const meters = new MeterProvider({readers: [reader]})
        const telemetry: Telemetry = {trace: tracers, metrics: meters}
        const report = await runJob(ledger, job, dav, {telemetry})
        await reader.forceFlush()

        const finished = spans.getFinishedSpans()
        const jobs = finished.filter(({name}) => name === 'multistatus.job')
        expect(jobs.map(({attributes}) => attributes)).toEqual([
          {'job.id': job.id, 'job.kind': 'delete'},
        ])
        const units = finished.filter(({name}) => name === 'multistatus.unit')
        expect(units.length + jobs.length).toBe(finished.length)
        // At least two units of listings, four of files, and two of collections.
        expect(units.length).toBeGreaterThanOrEqual(8)
        for (const {attributes, status} of units) {
          expect(attributes).toMatchObject({'job.id': job.id, 'job.kind': 'delete'})
          expect(['list', 'send']).toContain(attributes['unit.kind'])
          expect(attributes['unit.count']).toBeGreaterThanOrEqual(1)
          expect(status.code).toBe(api.SpanStatusCode.UNSET)
        }

        const counted = (name: string): Readonly<Record<string, number>> =>
          Object.fromEntries(
            metrics
              .getMetrics()
              .flatMap(({scopeMetrics}) => scopeMetrics)
              .flatMap((scope) => scope.metrics)
              .filter(({descriptor}) => descriptor.name === `multistatus.job.${name}`)
              .flatMap(({dataPoints}): readonly DataPoint<unknown>[] => dataPoints)
              .map(({attributes, value}) => [String(attributes['outcome'] ?? ''), Number(value)]),
          )
        expect(report).toMatchObject({inDoubt: 1, failures: 2})
        expect(counted('verdicts')).toEqual({ok: report.successes, ...report.reasons})
        expect(counted('listings')).toEqual({ok: report.listings})
        expect(counted('requests')).toEqual({'': report.requests})
        expect(report.requests).toBe(server.requests.length)
        await meters.shutdown()
      }),
    )

    it(
      'marks the spans of work that failed',
      using(async ({ledger, server, dav}) => {
        server.put('a', 'x')
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        const stop = new AbortController()
        const {url} = server
        const client = clientOf({
          url,
          async transport(request) {
            stop.abort(new Error('the night is over'))
            return server.transport(request)
          },
        })
        const spans = new InMemorySpanExporter()
        const trace = new BasicTracerProvider({spanProcessors: [new SimpleSpanProcessor(spans)]})
        const telemetry: Telemetry = {trace, metrics: api.metrics}
        const {signal} = stop
        await expect(runJob(ledger, job, client, {telemetry, signal})).rejects.toThrow('night')
        const marked = spans.getFinishedSpans().map(({name, status}) => [name, status.code])
        expect(marked).toContainEqual(['multistatus.job', api.SpanStatusCode.ERROR])
      }),
    )

    it(
      'takes the module of the API as it is',
      using(async ({ledger, dav}) => {
        const job = await createJob(ledger, {kind: 'delete', targets: ['a']}, dav)
        expect(await runJob(ledger, job, dav, {telemetry: api})).toMatchObject({done: 1})
      }),
    )
  })
}
