/**
 * A type map whose values survive JSON: use it as `Map extends JsonMap<Map>`. Where a value does not, a sentence stands
 * in its place, which the compiler shows.
 */
export type JsonMap<Map> = { readonly [Name in keyof Map]: JsonData<Map[Name]> }

/** The data of one message: JSON-shaped, or a `Uint8Array` as a whole. */
export type JsonData<Data> = unknown extends Data
  ? Data
  : Data extends Uint8Array
    ? Uint8Array<ArrayBuffer> extends Data
      ? Data
      : NotJson<'Bytes arrive as a plain Uint8Array: use that type'>
    : JsonValue<Data>

type JsonValue<Value> = unknown extends Value
  ? Value
  : Value extends string | number | boolean | null
    ? Value
    : Value extends undefined
      ? NotJson<'undefined is not JSON: use null'>
      : Value extends bigint
        ? NotJson<'A bigint is not JSON: use string, and send String(value)'>
        : Value extends symbol
          ? NotJson<'A symbol is not JSON: use string'>
          : Value extends object
            ? JsonObject<Value>
            : NotJson<'This is not JSON: use null for no data'>

type JsonObject<Value extends object> = Value extends Date
  ? NotJson<'A Date arrives as a string: use string, and send date.toISOString()'>
  : Value extends ReadonlyMap<unknown, unknown>
    ? NotJson<'A Map is not JSON: use an object, and send Object.fromEntries(map)'>
    : Value extends ReadonlySet<unknown>
      ? NotJson<'A Set is not JSON: use an array, and send [...set]'>
      : Value extends Callable
        ? NotJson<'A function is not JSON: leave it out'>
        : Value extends { toJSON: Callable }
          ? NotJson<'This has a toJSON, so it arrives as something else: use the type of what that returns'>
          : Value extends ArrayBufferView | ArrayBufferLike
            ? NotJson<'Bytes are not JSON: use them as the whole data, or a base64 string'>
            : Value extends readonly unknown[]
              ? { readonly [index: number]: JsonValue<Value[number]> }
              : { readonly [Field in keyof Value]: JsonField<Value[Field]> }

/** A field that is `undefined` is left out. */
type JsonField<Value> = Value extends undefined ? Value : JsonValue<Value>

declare const reason: unique symbol

/** Nothing is assignable to it, so the compiler shows the reason. */
export interface NotJson<Reason extends string> {
  readonly [reason]: Reason
}

type Callable = ((...given: never) => unknown) | (abstract new (...given: never) => unknown)
