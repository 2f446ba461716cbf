import type { Clock } from '@posthorn/transport/driver'

/** How long an answer may take. Milliseconds. */
const patienceMs = 2_000

/** What the management API says of a queue; it is a few seconds old. */
export interface QueueStatistics {
  readonly inFlight: number | undefined
}

const nothing: QueueStatistics = { inFlight: undefined }

/** Asks the management API. Never rejects: it is a help, and what it does not say is unknown. */
export class Management {
  private readonly base: string
  private readonly headers: Readonly<Record<string, string>>
  private readonly virtualHost: string
  private readonly clock: Clock

  /** `virtualHost` is percent-encoded. */
  constructor(url: string, virtualHost: string, clock: Clock) {
    const { origin, pathname, username, password } = new URL(url)
    this.base = origin + pathname.replace(/\/$/, '')
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    this.headers = { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
    this.virtualHost = virtualHost
    this.clock = clock
  }

  async statistics(queue: string): Promise<QueueStatistics> {
    const controller = new AbortController()
    const cancel = this.clock.setTimer(() => controller.abort(), patienceMs)
    try {
      const address = `${this.base}/api/queues/${this.virtualHost}/${encodeURIComponent(queue)}`
      const response = await fetch(address, { headers: this.headers, signal: controller.signal })
      if (!response.ok) return nothing
      const { messages_unacknowledged: inFlight } = (await response.json()) as Readonly<
        Record<string, unknown>
      >
      return { inFlight: typeof inFlight === 'number' ? inFlight : undefined }
    } catch {
      return nothing
    } finally {
      cancel()
    }
  }
}
