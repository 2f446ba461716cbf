/** Turns data into bytes and back. */
export interface Codec {
  /** Throws a `PosthornError` that says what cannot be encoded, and where in it. */
  encode(data: unknown): EncodedBody
  /** Throws when the bytes are not what `contentType` says. */
  decode(body: Uint8Array, contentType: string): unknown
}

export interface EncodedBody {
  readonly body: Uint8Array
  /** Media type, such as `application/json`. */
  readonly contentType: string
}
