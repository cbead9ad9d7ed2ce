/**
 * Long jobs over many processes and machines: a ledger holds what is to be done, who does it, and one verdict per href. Begin with
 * {@link sqliteLedger}, {@link createJob} and {@link runJob}. Node only.
 *
 * @packageDocumentation
 */

export {createJob} from './jobs/create.ts'
export {runJob} from './jobs/run.ts'
export type {RunJobOptions} from './jobs/run.ts'
export {inspectJob, listJobs} from './jobs/inspect.ts'
export type {JobGap, JobReport, ListedJob, WorkerReport} from './jobs/inspect.ts'
export {cancelJob, removeJob, retryJob} from './jobs/again.ts'
export {exportVerdicts} from './jobs/export.ts'
export type {ExportOptions} from './jobs/export.ts'
export {sqliteLedger} from './jobs/sqlite.ts'
export {postgresLedger} from './jobs/postgres.ts'
export type {
  PostgresConnection,
  PostgresLedgerOptions,
  PostgresPool,
  PostgresResult,
} from './jobs/postgres.ts'
export {LedgerError} from './jobs/ledger.ts'
export type {Ledger, LedgerErrorReason} from './jobs/ledger.ts'
export type {
  CopyJob,
  DeleteJob,
  DiffJob,
  DiffSide,
  Job,
  JobKind,
  JobOptions,
  JobRetry,
  JobSettings,
  JobState,
  ListJob,
  MoveJob,
  PutJob,
} from './jobs/job.ts'
export type {Change} from './jobs/compare.ts'
export type {Telemetry, TelemetrySpan} from './jobs/telemetry.ts'
