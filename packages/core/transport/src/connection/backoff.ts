/** Milliseconds before try number `attempt` (from 1): full jitter below a bound that doubles from 100 ms to 30 s. */
export function reconnectDelay(attempt: number, random: () => number): number {
  return Math.ceil(random() * Math.min(30_000, 100 * 2 ** Math.min(attempt - 1, 20)))
}
