/**
 * The types of property names, values and decoders. No code. RFC 4918, sections 4 and 15; RFC 4331, sections 3 and 4;
 * RFC 6578, section 4.
 */

import type {XmlElement} from '../xml/element.ts'

/** A value as the server sent it: text, or the property's element if it has child elements. */
export type RawValue = string | XmlElement

/** The properties that are decoded by default, with the types of their values. */
export interface LiveProperties {
  /** The date of the resource's creation. RFC 4918, section 15.1. */
  readonly creationdate: Date
  /** A name for people, as the server wrote it. RFC 4918, section 15.2. */
  readonly displayname: string
  /** The value of Content-Language, trimmed. RFC 4918, section 15.3. */
  readonly getcontentlanguage: string
  /** The size in bytes. A size above 2^53 - 1 is listed in `missing`. RFC 4918, section 15.4. */
  readonly getcontentlength: number
  /** The value of Content-Type, trimmed. RFC 4918, section 15.5. */
  readonly getcontenttype: string
  /** The entity tag as the server wrote it, quotes and `W/` included. RFC 4918, section 15.6. */
  readonly getetag: string
  /** The date of the last modification. RFC 4918, section 15.7. */
  readonly getlastmodified: Date
  /** The names of the types, such as `collection`; empty for a plain resource. RFC 4918, section 15.9. */
  readonly resourcetype: readonly string[]
  /** Free bytes. Nextcloud writes -1 for not computed, -2 for unknown, -3 for unlimited. RFC 4331, section 3. */
  readonly 'quota-available-bytes': number
  /** Bytes in use. Nextcloud's negative numbers mean the same here. RFC 4331, section 4. */
  readonly 'quota-used-bytes': number
  /** The state of a collection for the next sync-collection, trimmed. RFC 6578, section 4. */
  readonly 'sync-token': string
}

/** The names in `DAV:` that editors propose. */
export type KnownName = keyof LiveProperties | 'lockdiscovery' | 'supportedlock'

/**
 * The name of a property: the local name of a `DAV:` property, or `{namespace}local`. Plain `string` would absorb the known
 * names, and editors would propose none.
 */
export type PropertyName = KnownName | (string & Record<never, never>)

/** The names given to a call, if any. */
export type PropertyNameList = readonly PropertyName[] | undefined

/** The value of any property, decoded or not. */
export type PropertyValue = RawValue | number | Date | readonly string[]

/**
 * Properties by name: those of `DAV:` by local name, all others in Clark notation, `{namespace}local`. A property to which
 * the server gave no value is absent.
 */
export type Properties = Partial<LiveProperties> & OtherProperties

/** Properties of any name. */
export interface OtherProperties {
  readonly [name: string]: PropertyValue | undefined
}

/** A function that returns `undefined` for a value that it cannot decode, or a Standard Schema. */
export type Decoder<T = unknown> = ((value: RawValue) => T | undefined) | StandardSchema<T>

/** Decoders by property name: `local` or `{DAV:}local` in `DAV:`, `{namespace}local` in any other namespace. */
export type Decoders = Readonly<Record<string, Decoder>>

/** The part of the Standard Schema specification, version 1, that decoders use. A schema must validate synchronously. */
export interface StandardSchema<T = unknown> {
  /** The one member of the specification. */
  readonly '~standard': {
    /** The version of the specification. */
    readonly version: 1
    /** The name of the schema's library. */
    readonly vendor: string
    /** Validates a value. */
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
    /** The types of the schema, for inference only. */
    readonly types?: SchemaTypes<T> | undefined
  }
}

/** The types of a Standard Schema. */
export interface SchemaTypes<T> {
  /** The type of the values to validate. */
  readonly input: unknown
  /** The type of valid values. */
  readonly output: T
}

/** The answer of a schema: a value, or the issues with it. */
export type SchemaResult<T> =
  | {
      /** The valid value. */
      readonly value: T
      /** Absent: the value is valid. */
      readonly issues?: undefined
    }
  | {
      /** The issues, each with a message for people. */
      readonly issues: readonly Readonly<Record<'message', string>>[]
    }

/** The value that a decoder gives. */
export type Decoded<D> =
  D extends StandardSchema<infer T>
    ? T
    : D extends (value: RawValue) => infer T
      ? Exclude<T, undefined>
      : never

/** The values of decoders, by the keys of their properties. */
export type DecodedValues<D> = {readonly [Name in keyof D as KeyOfName<Name>]: Decoded<D[Name]>}

/**
 * The properties of a result, by the names in the call and by the decoders. The name `string` stands for any property. All
 * members are written out in this one type, because editors would show the names of further types instead.
 */
export type PropertiesOf<Names extends string, D = Record<never, never>> = string extends Names
  ? Record<never, never> extends D
    ? Properties
    : {readonly [Key in keyof DecodedValues<D>]?: DecodedValues<D>[Key]} & Partial<
        Omit<LiveProperties, keyof DecodedValues<D>>
      > &
        OtherProperties
  : {
      readonly [Key in KeyOfName<Names>]?: Key extends keyof DecodedValues<D>
        ? DecodedValues<D>[Key]
        : Key extends keyof LiveProperties
          ? LiveProperties[Key]
          : RawValue
    }

/**
 * Local names that are members of `Object.prototype`. In `DAV:` their keys are `{DAV:}constructor` and so on, so that a program
 * never takes an inherited member for a property.
 */
export type InheritedName =
  | keyof InstanceType<ObjectConstructor>
  | `__${'proto' | 'defineGetter' | 'defineSetter' | 'lookupGetter' | 'lookupSetter'}__`

/** The key of a property in results: the same one for `getetag` and `{DAV:}getetag`. */
export type KeyOfName<Name> = Name extends InheritedName
  ? `{DAV:}${Name}`
  : Name extends `{DAV:}${infer Local}`
    ? Local extends InheritedName
      ? Name
      : Local
    : Name
