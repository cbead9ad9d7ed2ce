/**
 * Bounds of memory, work and time that no option sets, one section for each folder. Public limits are in `multistatus/limits.ts`.
 * Each name ends with its unit.
 */

// protocol

/** The longest wait that a timer of the platforms can hold. A longer one fires at once. */
export const LONGEST_TIMER_MILLISECONDS = 2_147_483_647

/** The longest name that is compared with the known options. The comparison takes the product of two lengths. */
export const OPTION_NAME_CHARACTERS = 40
/** Characters of an href that is tested for being plain. The test of a longer one costs more than it saves. */
export const PLAIN_PATH_CHARACTERS = 4096
/**
 * Characters of all ancestors of a path together. Paths of files have fewer; of a longer and deeper path, the nearest ancestors
 * count. The work on a hostile path would else grow with the square of its length.
 */
export const ANCESTRY_CHARACTERS = 262_144

/** Readings of a path by servers. Paths of people have fewer than ten; one with more counts as one that may be anywhere. */
export const MAX_READINGS = 2000

/** No date is longer. A longer text of a hostile server is not worth a search. */
export const DATE_CHARACTERS = 64

// xml

/** The longest reference that is read, and so waited for. One without leading zeros has ten characters at most. */
export const REFERENCE_BYTES = 64
/** The end of an XML declaration is waited for so long. */
export const DECLARATION_BYTES = 1024
/** A longer chunk is decoded in pieces: the text of one fits the caches of a processor. */
export const DECODED_BYTES = 65_536
/** Held pieces are joined at this number, because they may be as small as a byte. */
export const HELD_PIECES = 1024
/** Characters of a name in a message. */
export const SHOWN_NAME_CHARACTERS = 100
/** Names are remembered up to this sum over all namespaces. Past it they are made again each time. */
export const REMEMBERED_NAME_CHARACTERS = 1_048_576
/** The memory of a remembered name beside its text. */
export const NAME_OVERHEAD_CHARACTERS = 64
/** Paths of elements that are remembered. Real bodies stay far below. */
export const REMEMBERED_PATHS = 4096
/** A longer start tag is not remembered. */
export const REMEMBERED_TAG_CHARACTERS = 512
/** Start tags of one parent that are compared as bytes: more than servers name of one resource, but for dead properties. */
export const COMPARED_CHILDREN = 24
/** To compare a longer tag with all others takes more time than to cut it out. */
export const COMPARED_TAG_CHARACTERS = 64
/** A longer structured value is seldom the same as the one before. */
export const REPEATED_VALUE_CHARACTERS = 4096
/** A document with more names of structured values has hardly one that comes again. */
export const REPEATED_VALUE_NAMES = 256
/** Structured values are kept with their objects up to this sum, over all places in a body. */
export const REMEMBERED_VALUE_CHARACTERS = 1_048_576
/** The memory of a kept value beside its markup. */
export const VALUE_OVERHEAD_CHARACTERS = 512
/** Limits on the body of a refused request. */
export const DOCUMENT_LIMITS = {
  tag: 65_536,
  name: 1024,
  attributes: 256,
  depth: 256,
  value: 1_048_576,
  elements: 10_000,
} as const

// properties

/**
 * Properties that come in the same order in all results. With more names no two responses are likely to share a shape. To make
 * a shape for each of them takes three times as long.
 */
export const ORDERED_PROPERTIES = 64

// multistatus

/**
 * The wait for the end of a body behind its root. It comes one round trip later at most. A server that holds the connection
 * open, or lies about the length, must not delay the last result's summary.
 */
export const REST_MILLISECONDS = 1000
/** Reasons in a summary. Each failed member of a tree may be one, and the first ones say enough. */
export const MAX_INCOMPLETE = 1000

/** The room for the properties of a response is kept for the next one, unless there were more. */
export const KEPT_PROPERTIES = 256

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
/** Milliseconds of work that waits for nothing, after which timers have their turn. */
export const TURN_MILLISECONDS = 20

/** Bytes of a plain answer that are kept to be shown, or to be read as a `DAV:error`. */
export const PLAIN_ANSWER_BYTES = 65_536

/** Characters of a plain answer in `excerpt`. */
export const EXCERPT_CHARACTERS = 1000

/** Characters of the server's words in `description`. */
export const DESCRIPTION_CHARACTERS = 300

// listing

/** Pages of one listing. A server with more goes round in circles. */
export const MAX_PAGES = 10_000
/** Levels of collections in a walk. A link to a collection around it has no end. */
export const MAX_LEVELS = 100
/** Milliseconds that the body of a refusal has before the request is sent again without it. */
export const REFUSAL_BODY_MILLISECONDS = 1000
/** Collections with a known member that one answer makes us remember, twice over. A forgotten one counts as never named. */
export const REMEMBERED_COLLECTIONS = 25_000
/** Results below the members, of a server that ignores Depth 1, that are remembered. Others may be reported twice. */
export const REMEMBERED_DEEPER_RESULTS = 25_000

// engine

/** Targets with a verdict that a bulk call remembers, at the least. Twice as many at the most. */
export const REMEMBERED_TARGETS = 10_000
/** Milliseconds between two reports of progress: often enough to be drawn, seldom enough to cost nothing. */
export const PROGRESS_MILLISECONDS = 100
/** Milliseconds over which the rate of progress is measured. */
export const RATE_MILLISECONDS = 5000
