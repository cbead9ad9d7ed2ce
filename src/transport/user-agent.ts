/** The default User-Agent. RFC 9110, section 10.1.5. */

/** The name and the version of the package. A test compares it with package.json. */
export const USER_AGENT = 'multistatus/0.1.0'
