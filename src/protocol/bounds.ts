/**
 * Bounds of memory, work and time that no option sets, one section for each folder. Public limits are in `multistatus/limits.ts`.
 * Each name ends with its unit.
 */

// protocol

/** The longest wait that a timer of the platforms can hold. A longer one fires at once. */
export const LONGEST_TIMER_MILLISECONDS = 2_147_483_647

/** The longest name that is compared with the known options. The comparison takes the product of two lengths. */
export const OPTION_NAME_CHARACTERS = 40

// xml

// properties

// multistatus

/**
 * The wait for the end of a body behind its root. It comes one round trip later at most. A server that holds the connection
 * open, or lies about the length, must not delay the last result's summary.
 */
export const REST_MILLISECONDS = 1000

// transport

/** The wait for a body that is discarded. It may never say that it has ended. */
export const DISCARD_MILLISECONDS = 1000

/** Redirects that one request follows. Real servers need two: one to the slash, one to another path. */
export const MAX_REDIRECTS = 5

/** Content codings of one body. More are taken for nonsense. */
export const MAX_CODINGS = 3

/** Bytes of one unread body that are held to free its connection: a listing of 100,000 resources. */
export const UNREAD_BYTES = 67_108_864

/** The time that a full body may lie unread while other requests wait for its connection. */
export const UNREAD_MILLISECONDS = 10_000

/**
 * undici leaves a kept connection this long before the server does. Its own 2,000 make a connection for each request to a
 * server that says `Keep-Alive: timeout=2`.
 */
export const KEEP_ALIVE_MARGIN_MILLISECONDS = 500

// retry

/** Targets of a call that may wait for another attempt beside those under way. Each keeps little, but not nothing. */
export const MAX_WAITING_TARGETS = 1000

/** Doublings of a delay: far beyond any delay, so that the power stays finite. */
export const MAX_DOUBLINGS = 50

// call

/** The time that exchanges under way have for their answer after a signal has ended a bulk call. */
export const GRACE_MILLISECONDS = 1000

/** Bytes of a plain answer that are kept to be shown, or to be read as a `DAV:error`. */
export const PLAIN_ANSWER_BYTES = 65_536

/** Characters of a plain answer in `excerpt`. */
export const EXCERPT_CHARACTERS = 1000

/** Characters of the server's words in `description`. */
export const DESCRIPTION_CHARACTERS = 300

// listing

// engine

/** Targets with a verdict that a bulk call remembers, at the least. Twice as many at the most. */
export const REMEMBERED_TARGETS = 10_000
/** Milliseconds between two reports of progress: often enough to be drawn, seldom enough to cost nothing. */
export const PROGRESS_MILLISECONDS = 100
/** Milliseconds over which the rate of progress is measured. */
export const RATE_MILLISECONDS = 5000
