/**
 * Bounds of memory, work and time that no option sets, one section for each folder. Public limits are in `multistatus/limits.ts`.
 * Each name ends with its unit.
 */

// protocol

/** The longest wait that a timer of the platforms can hold. A longer one fires at once. */
export const LONGEST_TIMER_MILLISECONDS = 2_147_483_647

/** Wrong letters in the misspelt name of an option. The time to find more grows by the power of their number. */
export const MAX_MISTAKES = 4
/** The longest href that is tested for being plain. For a longer one, the test costs more than it saves. */
export const PLAIN_PATH_CHARACTERS = 4096
/**
 * Characters of all ancestors of a path together. Paths of files have fewer. Of a longer and deeper path only the nearest count,
 * because the work on a hostile path would grow with the square of its length.
 */
export const ANCESTRY_CHARACTERS = 262_144

/** Readings of a path by servers. Paths of people have fewer than ten; one with more counts as one that may be anywhere. */
export const MAX_READINGS = 2000

/** The longest text that is read as a date. No date is longer, and a hostile text would take long to search. */
export const DATE_CHARACTERS = 64

/** The longest time of a lock. RFC 4918, section 10.7. */
export const MAX_LOCK_SECONDS = 4_294_967_295

// xml

/** The longest reference in text. A chunk that ends inside of one is held back so long. Without leading zeros ten suffice. */
export const REFERENCE_BYTES = 64
/** The longest XML declaration. The encoding is not known before its end. */
export const DECLARATION_BYTES = 1024
/** Bytes that are decoded at once. Pieces of a longer chunk fit the caches of a processor. */
export const DECODED_BYTES = 65_536
/** Held pieces are joined at this number, because each may be as small as a byte. */
export const HELD_PIECES = 1024
/** The longest name in a message. */
export const SHOWN_NAME_CHARACTERS = 100
/** Characters of all remembered names together. Further names are made again each time. */
export const REMEMBERED_NAME_CHARACTERS = 1_048_576
/** The cost of a remembered name beside its text. */
export const NAME_OVERHEAD_CHARACTERS = 64
/** Remembered paths of elements. Real bodies have far fewer. */
export const REMEMBERED_PATHS = 4096
/** The longest start tag that is remembered. */
export const REMEMBERED_TAG_CHARACTERS = 512
/** Start tags in one parent that are compared as bytes. Dead properties aside, servers have fewer for one resource. */
export const COMPARED_CHILDREN = 24
/** Unknown start tags in one parent, after which no further ones are compared there. */
export const MAX_UNSEEN = 64
/** Unknown start tags for which one known tag makes up: it saves as much time as two of them cost. */
export const SEEN_WORTH = 2
/** The longest start tag that is compared so. For a longer one a look-up is faster. */
export const COMPARED_TAG_CHARACTERS = 64
/** The longest structured value that is remembered. A longer one is seldom the same as the one before. */
export const REPEATED_VALUE_BYTES = 4096
/** Different values of one property, or elements without a known layout, in a row. After so many, no further ones are remembered. */
export const MAX_MISSES = 16
/** Bytes of all remembered structured values, in one body. */
export const REMEMBERED_VALUE_BYTES = 1_048_576
/** The cost of a remembered value beside its markup. */
export const VALUE_OVERHEAD_BYTES = 512
/** Remembered layouts of one element. A listing has a few: of files, of collections, of files without a type. */
export const LAYOUTS = 8
/** The longest element whose layout is remembered. */
export const LAYOUT_BYTES = 16_384
/** Bytes of all remembered layouts of one body. */
export const REMEMBERED_LAYOUT_BYTES = 262_144
/** The cost of a layout beside its markup. */
export const LAYOUT_OVERHEAD_BYTES = 512
/** The cost of a value in a layout. */
export const SLOT_BYTES = 256
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
 * Properties with a fixed order in all results. With more names, hardly two responses share a shape, and a shape for each takes
 * three times as long as a table.
 */
export const ORDERED_PROPERTIES = 64

// multistatus

/**
 * The wait for the end of a body behind its root, which is one round trip away at most. A server that holds the connection open,
 * or lies about the length, must not delay the summary.
 */
export const REST_MILLISECONDS = 1000
/** Gaps in a summary. Each failed member of a tree may be one, and the first thousand say enough. */
export const MAX_INCOMPLETE = 1000

/** Servers, or other decoders or limits, whose markup is remembered at once. */
export const KNOWN_MARKUPS = 4
/** The largest number of properties whose room is kept for the next response. */
export const KEPT_PROPERTIES = 256

// transport

/** Bytes of one piece of a long request body. A shorter body is sent at once. */
export const SENT_PIECE_BYTES = 65_536

/** The slowest upload whose pieces cannot be seen. The wait for its answer is longer by the time that the body takes at this rate. */
export const SLOWEST_UPLOAD_BYTES_PER_SECOND = 65_536

/** Remembered requests of a call without success, to count their repetitions for diagnostics. */
export const REMEMBERED_EXCHANGES = 1000

/** The wait for the end of a discarded body, which may never come. */
export const DISCARD_MILLISECONDS = 1000

/** Connections of a browser to one host over HTTP/1.1. Chromium, Firefox and Safari have the same number. */
export const BROWSER_CONNECTIONS = 6

/** Milliseconds before a second try with the same token, after a 401 that may be due to too many requests. */
export const SECOND_TRY_MILLISECONDS = 1000

/** Milliseconds for which an accepted token counts as good, and the longest pause before its second try. */
export const THROTTLE_MILLISECONDS = 10_000

/**
 * Times that one refused request is sent again with other credentials. Digest may need four: two algorithms, and for each a nonce
 * that had expired.
 */
export const MAX_REFUSALS = 6

/** The most refusals alone, after which a refusal beside other requests is the outcome. */
export const MAX_DISPROOFS = 3

/** The most turns of a request, each alone but the first. Another one is needed where an answer ends in the same moment. */
export const MAX_TURNS = 4

/** The longest wait for the end of an answer, whose connection the next attempt needs. */
export const DRAIN_MILLISECONDS = 100

/** The wait of other requests for an attempt that goes alone. */
export const TURN_ALONE_MILLISECONDS = 1000

/** Characters of a header with challenges that are read. Only a transport of a caller has longer ones. */
export const MAX_CHALLENGE_CHARACTERS = 1_000_000

/** Redirects that one request follows. Real servers need two: one to the slash, one to another path. */
export const MAX_REDIRECTS = 5

/** Content codings of one body. More are nonsense, and are left alone. */
export const MAX_CODINGS = 3

/** Bytes of a body that are held before its source is asked to pause: those of Node's own streams. */
export const QUEUED_BYTES = 65_536

/** Bytes of one unread body that are held to free its connection: a listing of 100,000 resources. */
export const UNREAD_BYTES = 67_108_864

/** The time for which a full body may stay unread while other requests wait for its connection. */
export const UNREAD_MILLISECONDS = 10_000

/**
 * undici closes an idle connection this long before the server does. Its own 2,000 would make a new connection for each request
 * to a server with `Keep-Alive: timeout=2`.
 */
export const KEEP_ALIVE_MARGIN_MILLISECONDS = 500

/** The time for which an unused connection of `httpTransport` is kept, if the server names no shorter one: that of undici. */
export const IDLE_CONNECTION_MILLISECONDS = 4000

/** The wait for the server's consent to a body. Many servers never give it. */
export const CONTINUE_MILLISECONDS = 1000

/** The wait for the body of a 400, whose words may tell what is wrong with the connection. Some bodies never begin. */
export const PAGE_MILLISECONDS = 1000

/** Bytes that an HTTP/2 server may send ahead of the reader of one body. undici's 262,144 slow a listing over 100 ms down. */
export const HTTP2_STREAM_BYTES = 1_048_576
/** Bytes that an HTTP/2 server may send ahead on one connection. */
export const HTTP2_CONNECTION_BYTES = 8_388_608

/** Streams of one HTTP/2 connection at once. Servers allow 100 to 250, or fewer. */
export const HTTP2_STREAMS = 100

/** Milliseconds in which an HTTP/2 server must answer a PING after a time limit, or send anything else. */
export const HTTP2_PING_MILLISECONDS = 5000

/** Attempts of a request that an HTTP/2 server does not process. undici sends some of them twice for each. */
export const UNPROCESSED_ATTEMPTS = 3

// retry

/** The time for which an unread body keeps its place among the requests of a client. A longer one would hold up its own reader. */
export const UNREAD_PLACE_MILLISECONDS = 100

/** Targets of a call that may wait for another attempt while others begin. Each costs a little memory. */
export const MAX_WAITING_TARGETS = 1000

/** Doublings of a delay. The result is beyond any delay, and the power stays finite. */
export const MAX_DOUBLINGS = 50

// call

/** The time for sent requests to be answered after a signal has ended a bulk call. */
export const GRACE_MILLISECONDS = 1000
/** The longest work without a wait. After it, timers and signals get their turn. */
export const TURN_MILLISECONDS = 20

/** Bytes of a plain answer that are kept, for its excerpt or its `DAV:error`. */
export const PLAIN_ANSWER_BYTES = 65_536

/** Lines of the stack of a call that are kept for its errors. The first one is that of this package. */
export const CALLER_FRAMES = 5

/** Characters of a plain answer in `excerpt`. */
export const EXCERPT_CHARACTERS = 1000

/** Characters of the server's words in `description`. */
export const DESCRIPTION_CHARACTERS = 300

/** Remembered Allow headers of OPTIONS, each of one resource. The oldest are forgotten first. */
export const REMEMBERED_ALLOW_HEADERS = 100
/** Remembered elements of DAV headers. Servers have fewer than 50. */
export const REMEMBERED_EXTENSIONS = 1000

/** Lists of an If header. lighttpd 1.4.69 answers 400 to the 17th condition. */
export const MAX_SUBMITTED_LOCKS = 16
/** Characters of an If header with tokens of the client's own locks. Four of 17 servers refuse headers of 9,000 bytes. */
export const IF_HEADER_CHARACTERS = 7000

// listing

/** Pages of one listing. A server with more goes round in circles. */
export const MAX_PAGES = 10_000
/** Default levels of collections in a walk. A link to a parent collection would have no end. */
export const MAX_LEVELS = 100
/** The wait for the body of a refusal, before the request is retried without it. */
export const REFUSAL_BODY_MILLISECONDS = 1000
/** Remembered collections with a known member, of one answer; twice as many at most. A forgotten one counts as never named. */
export const REMEMBERED_COLLECTIONS = 25_000
/** Remembered results below the members, of a server that ignores Depth 1. Further ones may be reported twice. */
export const REMEMBERED_DEEPER_RESULTS = 25_000

// sync

/** Results of a page, asked for after a server has refused to give all at once. */
export const SYNC_PAGE_RESULTS = 500
/** Lines of a journal that are kept until they are saved: few enough to be repeated after a crash. */
export const JOURNAL_LINES = 1000

// transfer

/** Bytes of a stream without a length that are spooled to a temporary file. */
export const SPOOLED_FILE_BYTES = 17_179_869_184
/** Bytes of a stream without a length that are spooled to a Blob, which may be in memory as a whole. */
export const SPOOLED_BLOB_BYTES = 1_073_741_824
/** Bytes of a long local file that are read at once. */
export const FILE_PIECE_BYTES = 262_144
/** Characters of a file's own name in the name of its draft. With three bytes each, the whole stays below 255 bytes. */
export const DRAFT_NAME_CHARACTERS = 60

/** Default bytes of one chunk of an upload. */
export const CHUNK_BYTES = 10_485_760
/** The longest chunk that Nextcloud takes. */
export const LONGEST_CHUNK_BYTES = 5_368_709_120
/** The shortest chunk that Nextcloud takes, the last one aside. */
export const SHORTEST_CHUNK_BYTES = 5_242_880
/** The first day of 1970. Nextcloud takes no earlier time of a file than its end. */
export const DAY_MILLISECONDS = 86_400_000
/** Chunks of one upload to Nextcloud. */
export const MAX_CHUNKS = 10_000
/** The first wait for Nextcloud to put chunks together. Each further one is twice as long. */
export const ASSEMBLY_MILLISECONDS = 500
/** The longest such wait. */
export const LONGEST_ASSEMBLY_MILLISECONDS = 30_000
/** Such waits for one upload, ten minutes in all. */
export const MAX_ASSEMBLY_WAITS = 25

/** Default attempts to go on with a body that breaks, without a byte between them. The first one is the break itself. */
export const RESUME_ATTEMPTS = 5

// engine

/** Hrefs of one multiget report. Servers read as many at once without a long wait for the first. */
export const MULTIGET_HREFS = 50
/** The shortest time to ask for when a lock is refreshed, only to see that it holds: clocks differ. */
export const REFRESHED_LOCK_MILLISECONDS = 60_000

/** Remembered targets with a verdict, of a bulk call; twice as many at most. */
export const REMEMBERED_TARGETS = 10_000
/** Milliseconds between two reports of progress: often enough to be drawn, seldom enough to cost nothing. */
export const PROGRESS_MILLISECONDS = 100
/** Milliseconds over which the rate of progress is measured. */
export const RATE_MILLISECONDS = 5000

// client

/** Requests of one discovery. Servers need fewer than ten; a user in many groups needs one more for each. */
export const DISCOVERY_REQUESTS = 100
/** Levels of groups whose home sets count: the groups of the user, and the groups of these. */
export const GROUP_LEVELS = 2
// verbs

/** A lock is renewed so long before its end, or a third of its time before. */
export const RENEWAL_MARGIN_MILLISECONDS = 10_000
/** The shortest wait for a renewal, however short the time of the lock is. */
export const RENEWAL_PAUSE_MILLISECONDS = 500
/** The time that a lock is asked for by default. */
export const LOCK_MILLISECONDS = 1_800_000

// testing

/** Bytes of one piece of an answer of the fake server. */
export const FAKE_PIECE_BYTES = 65_536
/** The longest time that the fake server grants to a lock by default. */
export const FAKE_LOCK_MILLISECONDS = 3_600_000
