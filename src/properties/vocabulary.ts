/** What a property's value may be. RFC 4918, sections 4 and 15; RFC 4331, sections 3 and 4; RFC 6578, section 4. */

import type {XmlElement} from '../xml/element.ts'

/** A value as it comes from the server: text, or the property's own element where it has child elements. */
export type RawValue = string | XmlElement

/** The properties whose values are decoded, with what they are decoded to. */
export interface LiveProperties {
  /** When the resource was created. RFC 4918, section 15.1. */
  readonly creationdate: Date
  /** A name to be shown to people, as the server wrote it. RFC 4918, section 15.2. */
  readonly displayname: string
  /** The value of Content-Language, trimmed. RFC 4918, section 15.3. */
  readonly getcontentlanguage: string
  /** The size in bytes. One that a number cannot hold exactly is listed in `missing`. RFC 4918, section 15.4. */
  readonly getcontentlength: number
  /** The value of Content-Type, trimmed. RFC 4918, section 15.5. */
  readonly getcontenttype: string
  /** The entity tag as the server wrote it, quotes and `W/` included. RFC 4918, section 15.6. */
  readonly getetag: string
  /** When the resource was last modified. RFC 4918, section 15.7. */
  readonly getlastmodified: Date
  /** The names of the types, such as `collection`; empty for a plain resource. RFC 4918, section 15.9. */
  readonly resourcetype: readonly string[]
  /** Bytes that may still be stored; below zero as Nextcloud means it: -1 not computed, -2 unknown, -3 unlimited. RFC 4331. */
  readonly 'quota-available-bytes': number
  /** Bytes in use, with the same meaning of negative numbers. RFC 4331. */
  readonly 'quota-used-bytes': number
  /** The state of a collection for the next sync-collection, trimmed. RFC 6578, section 4. */
  readonly 'sync-token': string
}

/** Any value that a property may have where nothing says which one it is. */
export type PropertyValue = RawValue | number | Date | readonly string[]

/**
 * Properties by name: those of `DAV:` by local name, all others in Clark notation, `{namespace}local`. A name that the
 * server did not answer with a value is not there.
 */
export type Properties = Partial<LiveProperties> & {
  readonly [name: string]: PropertyValue | undefined
}

/** What a decoder is: a function that returns `undefined` where it cannot decode, or a Standard Schema. */
export type Decoder<T = unknown> = ((value: RawValue) => T | undefined) | StandardSchema<T>

/** Decoders by property name, `DAV:` names by local name, all others in Clark notation; `{DAV:}local` works too. */
export type Decoders = Readonly<Record<string, Decoder>>

/** The part of the Standard Schema specification, version 1, that is used here. A schema must validate synchronously. */
export interface StandardSchema<T = unknown> {
  /** The one member of the specification. */
  readonly '~standard': {
    /** The version of the specification. */
    readonly version: 1
    /** Who made the schema's library. */
    readonly vendor: string
    /** Gives the value or what is wrong with it. */
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
    /** The types of the schema, for inference only. */
    readonly types?: SchemaTypes<T> | undefined
  }
}

/** The types of a Standard Schema, for inference only. */
export interface SchemaTypes<T> {
  /** What it takes. */
  readonly input: unknown
  /** What it gives. */
  readonly output: T
}

/** What a Standard Schema makes of a value. */
export type SchemaResult<T> = SchemaSuccess<T> | SchemaFailure

/** A value that a schema accepts. */
export interface SchemaSuccess<T> {
  /** The value, as the schema gives it. */
  readonly value: T
  /** Not there, which tells it from a failure. */
  readonly issues?: undefined
}

/** What a schema finds wrong with a value. */
export interface SchemaFailure {
  /** Each thing that is wrong. */
  readonly issues: readonly SchemaIssue[]
}

/** One thing that a schema finds wrong. */
export interface SchemaIssue {
  /** What is wrong, for people. */
  readonly message: string
}

/** What a decoder makes of a value. */
export type Decoded<D> =
  D extends StandardSchema<infer T>
    ? T
    : D extends (value: RawValue) => infer T
      ? Exclude<T, undefined>
      : never

/** The properties that are there after these names were asked for, with these decoders. */
export type PropertiesOf<Names extends string, D = Record<never, never>> = string extends Names
  ? Properties
  : NamedProperties<Names, D>

/** The properties of these names. */
export type NamedProperties<Names extends string, D> = {
  readonly [Key in KeyOfName<Names>]?: Key extends KeyOfName<keyof D>
    ? Decoded<D[Extract<keyof D, NameOfKey<Key>>]>
    : Key extends keyof LiveProperties
      ? LiveProperties[Key]
      : RawValue
}

/** The local names of `DAV:` that are members of `Object.prototype`: their keys are `{DAV:}constructor` and so on. */
export type InheritedName =
  | keyof InstanceType<ObjectConstructor>
  | `__${'proto' | 'defineGetter' | 'defineSetter' | 'lookupGetter' | 'lookupSetter'}__`

/** The key of the property that a name is of: `getetag` and `{DAV:}getetag` are one. */
export type KeyOfName<Name> = Name extends InheritedName
  ? `{DAV:}${Name}`
  : Name extends `{DAV:}${infer Local}`
    ? Local extends InheritedName
      ? Name
      : Local
    : Name

/** The names that a key may be written as. */
export type NameOfKey<Key extends string> =
  | Key
  | `{DAV:}${Key}`
  | (Key extends `{DAV:}${infer Local}` ? Local : never)
