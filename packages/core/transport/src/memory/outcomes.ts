const longest = 1024
const shared = new Map<string, (readonly string[])[]>()

/** An array of `length` times the same outcome. Shared: do not change it. */
export function allOf<Outcome extends string>(outcome: Outcome, length: number): readonly Outcome[] {
  if (length > longest) return new Array<Outcome>(length).fill(outcome)
  let arrays = shared.get(outcome)
  if (arrays === undefined) {
    arrays = []
    shared.set(outcome, arrays)
  }
  arrays[length] ??= new Array<Outcome>(length).fill(outcome)
  return arrays[length] as readonly Outcome[]
}
