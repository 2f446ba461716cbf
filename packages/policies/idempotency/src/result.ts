/** What a repetition is answered with, as text. What JSON cannot hold is kept as nothing: the effect is there already. */
export function writeResult(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

export function readResult(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text)
}
