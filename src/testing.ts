/**
 * Builds bodies of 207 Multi-Status answers for the tests of an application.
 *
 * @packageDocumentation
 */

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
