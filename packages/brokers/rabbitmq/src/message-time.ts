const hexDigits = /^[\da-f]{8}-[\da-f]{4}$/

/** The last beginning of an id: those of one millisecond have the same. */
let known = { beginning: '', time: 0 }

/**
 * Epoch milliseconds of a message whose property has whole seconds: those of its id, where that is a UUID of version 7
 * that was made in the same second.
 */
export function messageTime(seconds: number, id: string | undefined): number {
  const time = id?.length === 36 && id[14] === '7' ? timeOfId(id) : 0
  return Math.floor(time / 1_000) === seconds ? time : seconds * 1_000
}

function timeOfId(id: string): number {
  if (!id.startsWith(known.beginning) || known.beginning === '') {
    const beginning = id.slice(0, 13)
    if (!hexDigits.test(beginning)) return 0
    known = { beginning, time: Number.parseInt(beginning.replace('-', ''), 16) }
  }
  return known.time
}
