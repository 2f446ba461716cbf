/** The body of a message that has none, on a broker where that is another thing than an empty one. JSON takes it for `null`. */
export const noBody: Uint8Array = new Uint8Array(0)
