/** Spans and counters by OpenTelemetry. Only the shapes of its API are known here: without it nothing is loaded or measured. */

import {messageOf} from '../protocol/errors.ts'
import {isOfWork} from './inspect.ts'
import type {StoredJob} from './job.ts'
import type {Unit} from './units.ts'

type Attributes = Record<string, string | number | boolean>

/** A span, as `@opentelemetry/api` has it. */
export interface TelemetrySpan {
  /** Adds a fact. */
  setAttribute(name: string, value: string | number | boolean): unknown
  /** Marks the span as failed by the code 2. */
  setStatus(status: {readonly code: number; readonly message?: string}): unknown
  /** Ends the span. */
  end(): void
}

/** The parts of `@opentelemetry/api` that a worker uses. Give the module itself: `import * as telemetry from '@opentelemetry/api'`. */
export interface Telemetry {
  /** The API of traces. */
  readonly trace: {
    /** Makes a tracer. */
    getTracer(name: string): {
      /** Runs a function in a new span. */
      startActiveSpan<T>(
        name: string,
        options: {attributes?: Attributes},
        run: (span: TelemetrySpan) => T,
      ): T
    }
  }
  /** The API of metrics. */
  readonly metrics: {
    /** Makes a meter. */
    getMeter(name: string): {
      /** Makes a counter. */
      createCounter(
        name: string,
        options?: {description?: string; unit?: string},
      ): {
        /** Adds to the counter. */
        add(value: number, attributes?: Attributes): void
      }
    }
  }
}

const SCOPE = 'multistatus'
/** `SpanStatusCode.ERROR` of the API. */
const ERROR = 2

/** The spans and counters of one worker. */
export class Trace {
  readonly #tracer: ReturnType<Telemetry['trace']['getTracer']> | undefined
  readonly #counters: ReadonlyMap<string, {add(value: number, attributes?: Attributes): void}>
  // Counts that were added so far.
  readonly #counted = new Map<string, number>()

  constructor(telemetry: Telemetry | undefined) {
    this.#tracer = telemetry?.trace.getTracer(SCOPE)
    const meter = telemetry?.metrics.getMeter(SCOPE)
    const counter = (name: string, unit: string): [string, {add(value: number): void}][] =>
      meter === undefined ? [] : [[name, meter.createCounter(`multistatus.job.${name}`, {unit})]]
    this.#counters = new Map([
      ...counter('verdicts', '{verdict}'),
      ...counter('listings', '{listing}'),
      ...counter('requests', '{request}'),
      ...counter('resources', '{resource}'),
    ])
  }

  /** Runs the whole work of the worker in a span. */
  job<T>({id, kind}: StoredJob, run: () => Promise<T>): Promise<T> {
    return this.#span('multistatus.job', {'job.id': id, 'job.kind': kind}, run)
  }

  /** Runs the work on claimed units in a span. */
  units<T>({id, kind}: StoredJob, units: readonly Unit[], run: () => Promise<T>): Promise<T> {
    const facts = {'job.id': id, 'job.kind': kind, 'unit.kind': units[0]?.kind ?? ''}
    return this.#span('multistatus.unit', {...facts, 'unit.count': units.length}, run)
  }

  /** Adds the counts of the worker in the ledger to the counters. */
  count({id, kind}: StoredJob, counts: ReadonlyMap<string, number>): void {
    if (this.#counters.size === 0) return
    for (const [name, count] of counts) {
      const added = count - (this.#counted.get(name) ?? 0)
      if (added <= 0) continue
      this.#counted.set(name, count)
      // A Success in doubt is counted as a Success too, so `doubt` has no counter.
      const [counter, outcome] = name.startsWith('listing ')
        ? ['listings', name.slice('listing '.length)]
        : isOfWork(name)
          ? ['verdicts', name]
          : [name]
      const facts = {'job.id': id, 'job.kind': kind, ...(outcome !== undefined && {outcome})}
      this.#counters.get(counter)?.add(added, facts)
    }
  }

  async #span<T>(name: string, attributes: Attributes, run: () => Promise<T>): Promise<T> {
    if (this.#tracer === undefined) return run()
    return this.#tracer.startActiveSpan(name, {attributes}, async (span) => {
      try {
        return await run()
      } catch (error) {
        const message = messageOf(error)
        span.setStatus({code: ERROR, message})
        throw error
      } finally {
        span.end()
      }
    })
  }
}
