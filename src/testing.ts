/**
 * A WebDAV server in memory, and a builder of 207 Multi-Status bodies, for the tests of an application.
 *
 * @packageDocumentation
 */

export type {FakeRequest} from './testing/exchange.ts'
export {fakeServer} from './testing/fake-server.ts'
export type {
  FakeLock,
  FakeLockOptions,
  FakeResource,
  FakeResourceOptions,
  FakeServer,
  FakeServerOptions,
} from './testing/fake-server.ts'
export type {Fault, FaultKind, FaultRule, RandomFaults} from './testing/faults.ts'
export {fakeHandlers} from './testing/handlers.ts'
export type {MockHttp} from './testing/handlers.ts'
export {multistatusBody} from './testing/multistatus-body.ts'
export type {
  MultiStatusBodyOptions,
  MultiStatusPropstat,
  MultiStatusResponse,
  MultiStatusStatus,
  MultiStatusValue,
  MultiStatusValues,
} from './testing/multistatus-body.ts'
export type {ElementToWrite} from './xml/writer.ts'
