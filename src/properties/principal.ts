/** Decodes principals: the users and groups of a server. RFC 3744, sections 4 and 5.5.1; RFC 5397. */

import type {XmlElement} from '../xml/element.ts'
import type {DecodersOf} from './kinds.ts'
import {contentOf, firstNameIn, href, hrefs} from './kinds.ts'
import {childrenOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/** A user or a group. */
export interface NamedPrincipal {
  /** Tells it from the other kinds of {@link Principal}. */
  readonly type: 'href'
  /** The href as the server wrote it. Resolve it against the `url` of the result. */
  readonly href: string
}

/** The principals that a property of the resource names. */
export interface PropertyPrincipal {
  /** Tells it from the other kinds of {@link Principal}. */
  readonly type: 'property'
  /** The name of the property, such as `owner`. */
  readonly name: string
}

/** A user who is not logged in. */
export interface UnauthenticatedPrincipal {
  /** Tells it from the other kinds of {@link Principal}. */
  readonly type: 'unauthenticated'
}

/** The user who asks. RFC 5397, section 3. */
export type CurrentPrincipal = NamedPrincipal | UnauthenticatedPrincipal

/** A kind of principals without a name. */
export interface AnyPrincipal {
  /** Everybody, everybody who is logged in, or the principal for which the resource itself stands. */
  readonly type: 'all' | 'authenticated' | 'self'
}

/** The principals that a rule means. RFC 3744, section 5.5.1. */
export type Principal = CurrentPrincipal | PropertyPrincipal | AnyPrincipal

/** The properties that {@link principalDecoders} decode. All hrefs are as the server wrote them. */
export interface PrincipalProperties {
  /** Other hrefs of the principal, such as `ldap:` ones. RFC 3744, section 4.1. */
  readonly 'alternate-URI-set': readonly string[]
  /** The principal of the user who asks. RFC 5397, section 3. */
  readonly 'current-user-principal': CurrentPrincipal
  /** The direct members of the group. RFC 3744, section 4.3. */
  readonly 'group-member-set': readonly string[]
  /** The groups that have the principal as a direct member. RFC 3744, section 4.4. */
  readonly 'group-membership': readonly string[]
  /** The collections with the principals of the server. RFC 3744, section 5.8. */
  readonly 'principal-collection-set': readonly string[]
  /** The href that names the principal in an ACL. RFC 3744, section 4.2. */
  readonly 'principal-URL': string
}

/**
 * Decoders for principals.
 *
 * @example
 * ```ts
 * const properties = ['current-user-principal'] as const
 * const result = await dav.stat('', {properties, decoders: principalDecoders})
 * ```
 */
export const principalDecoders: DecodersOf<PrincipalProperties> = {
  'alternate-URI-set': hrefs,
  'current-user-principal': decodeCurrentPrincipal,
  'group-member-set': hrefs,
  'group-membership': hrefs,
  'principal-collection-set': hrefs,
  'principal-URL': href,
}

/** Decodes the user who asks. */
export function decodeCurrentPrincipal(value: RawValue): CurrentPrincipal | undefined {
  const principal = decodePrincipal(value)
  return principal?.type === 'href' || principal?.type === 'unauthenticated' ? principal : undefined
}

/** Decodes an element with one principal in it. */
export function decodePrincipal(value: RawValue | undefined): Principal | undefined {
  const [principal, ...others] = childrenOf(value).flatMap((child) => readPrincipal(child) ?? [])
  return others.length === 0 ? principal : undefined
}

function readPrincipal(element: XmlElement): Principal | undefined {
  const type = element.name
  switch (type) {
    case 'href': {
      const content = contentOf(element)
      return content === undefined ? undefined : Object.freeze({type, href: content})
    }
    case 'property': {
      const name = firstNameIn(element)
      return name === undefined ? undefined : Object.freeze({type, name})
    }
    case 'unauthenticated':
      return Object.freeze({type})
    case 'all':
    case 'authenticated':
    case 'self':
      return Object.freeze({type})
    default:
      return undefined
  }
}
