/**
 * Decodes owners, privileges and access control lists. A list with one rule that is not understood has no value: without that
 * rule it would say something else. RFC 3744, section 5.
 */

import type {XmlElement} from '../xml/element.ts'
import type {DecodersOf} from './kinds.ts'
import {contentOf, firstNameIn, hrefs, listOf, names, someOf, token} from './kinds.ts'
import type {CurrentPrincipal, Principal} from './principal.ts'
import {decodeCurrentPrincipal, decodePrincipal} from './principal.ts'
import {childrenOf} from './value-parts.ts'
import type {RawValue} from './vocabulary.ts'

/** The owner or the group of a resource. */
export type Owner = CurrentPrincipal | NoOwner

/** Stands for the owner of a resource without one. */
export interface NoOwner {
  /** Tells it from an owner. */
  readonly type: 'none'
}

/** One rule of an access control list. RFC 3744, section 5.5. */
export interface Ace {
  /** The principals of the rule. */
  readonly principal: Principal
  /** `true` if the rule is for all other principals. */
  readonly invert: boolean
  /** The effect of the rule. */
  readonly access: 'grant' | 'deny'
  /** The names of the privileges, such as `read`. */
  readonly privileges: readonly string[]
  /** `true` if the rule cannot be changed by an ACL request. */
  readonly protected: boolean
  /** The href of the resource from which the rule is inherited; absent for a rule of the resource itself. */
  readonly inherited?: string
}

/** A privilege that the server knows. RFC 3744, section 5.3. */
export interface SupportedPrivilege {
  /** Its name, such as `write` or `{urn:ietf:params:xml:ns:caldav}read-free-busy`. */
  readonly name: string
  /** `true` if no rule may name it. */
  readonly abstract: boolean
  /** The server's words about it, trimmed; empty without any. */
  readonly description: string
  /** The privileges that it contains. */
  readonly contains: readonly SupportedPrivilege[]
}

/** The properties that {@link aclDecoders} decode. All hrefs are as the server wrote them. */
export interface AclProperties {
  /** The rules, in the order of their evaluation. RFC 3744, section 5.5. */
  readonly acl: readonly Ace[]
  /** The names of the privileges of the user who asks. RFC 3744, section 5.4. */
  readonly 'current-user-privilege-set': readonly string[]
  /** The group of the resource. RFC 3744, section 5.2. */
  readonly group: Owner
  /** The resources whose rules count here too. RFC 3744, section 5.7. */
  readonly 'inherited-acl-set': readonly string[]
  /** The owner of the resource. Radicale 3 writes an empty element for none. RFC 3744, section 5.1. */
  readonly owner: Owner
  /** The privileges that the server knows for the resource. RFC 3744, section 5.3. */
  readonly 'supported-privilege-set': readonly SupportedPrivilege[]
}

/**
 * Decoders for the access control of resources.
 *
 * @example
 * ```ts
 * const properties = ['acl', 'current-user-privilege-set'] as const
 * const result = await dav.stat('reports/', {properties, decoders: aclDecoders})
 * if (result.ok) console.log(result.properties['current-user-privilege-set']?.includes('write'))
 * ```
 */
export const aclDecoders: DecodersOf<AclProperties> = {
  acl: decodeAcl,
  'current-user-privilege-set': /* @__PURE__ */ listOf('privilege', names),
  group: decodeOwner,
  'inherited-acl-set': hrefs,
  owner: decodeOwner,
  'supported-privilege-set': /* @__PURE__ */ someOf('supported-privilege', readSupported),
}

function decodeOwner(value: RawValue): Owner | undefined {
  const isEmpty = typeof value === 'string' && token(value) === undefined
  return isEmpty ? Object.freeze({type: 'none'}) : decodeCurrentPrincipal(value)
}

function decodeAcl(value: RawValue): readonly Ace[] | undefined {
  const rules = listOf('ace', readAce)(value)
  return rules?.length === childrenOf(value, 'ace').length ? rules : undefined
}

function readAce(element: XmlElement): Ace | undefined {
  const [invert] = childrenOf(element, 'invert')
  const [holder, ...holders] = childrenOf(invert ?? element, 'principal')
  const principal = decodePrincipal(holder)
  const [effect, ...effects] = childrenOf(element).filter(isEffect)
  // May be empty: DAViCal 1.1.12 writes a grant of nothing.
  const privileges = childrenOf(effect, 'privilege').map((privilege) => names(privilege) ?? [])
  const [origin] = childrenOf(element, 'inherited')
  const inherited = contentOf(childrenOf(origin, 'href')[0])
  const isWhole =
    holders.length === 0 &&
    effects.length === 0 &&
    privileges.every(({length}) => length > 0) &&
    (origin === undefined) === (inherited === undefined)
  if (!isWhole || principal === undefined || effect === undefined) return undefined
  return Object.freeze({
    principal,
    invert: invert !== undefined,
    access: effect.name,
    privileges: Object.freeze(privileges.flat()),
    protected: childrenOf(element, 'protected').length > 0,
    ...(inherited !== undefined && {inherited}),
  })
}

function isEffect(element: XmlElement): element is XmlElement & {readonly name: Ace['access']} {
  return element.name === 'grant' || element.name === 'deny'
}

function readSupported(element: XmlElement): SupportedPrivilege | undefined {
  const name = firstNameIn(childrenOf(element, 'privilege')[0])
  if (name === undefined) return undefined
  return Object.freeze({
    name,
    abstract: childrenOf(element, 'abstract').length > 0,
    description: contentOf(childrenOf(element, 'description')[0]) ?? '',
    contains: listOf('supported-privilege', readSupported)(element) ?? [],
  })
}
