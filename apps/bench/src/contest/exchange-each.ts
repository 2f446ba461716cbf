const warmUp = 100

/**
 * Sends messages one by one and answers how long each took, in milliseconds: until `send` has resolved, which says that it
 * was confirmed, and it has arrived, which calls what `onArrival` was given.
 */
export async function exchangeEach(
  messages: number,
  onArrival: (arrived: () => void) => void,
  send: () => Promise<unknown>,
): Promise<readonly number[]> {
  const times: number[] = []
  let arrived = (): void => {}
  onArrival(() => arrived())
  for (let index = -warmUp; index < messages; index++) {
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const startedAt = performance.now()
    await Promise.all([send(), arrival])
    if (index >= 0) times.push(performance.now() - startedAt)
  }
  return times
}
