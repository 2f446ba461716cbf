/** Epoch milliseconds. */
export const systemNow = (): number => Date.now()
