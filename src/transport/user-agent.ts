/** The name that the package has in requests. RFC 9110, section 10.1.5. */

/** The version in package.json; a test holds the two together. */
export const USER_AGENT = 'multistatus/0.1.0'
