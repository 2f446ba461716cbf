/** What is forgotten is taken for a queue of another kind, which is safe. */
const maxNames = 10_000

/**
 * The queues that are known to be quorum queues, since they were made so here. What one of them refuses is surely not in
 * it; the nack of a classic queue may only mean that its node went away, with the message on its disk.
 */
export class QuorumQueues {
  private readonly names = new Set<string>()

  add(names: readonly string[]): void {
    for (const name of names) {
      this.names.delete(name)
      this.names.add(name)
    }
    for (const oldest of this.names) {
      if (this.names.size <= maxNames) return
      this.names.delete(oldest)
    }
  }

  has(name: string): boolean {
    return this.names.has(name)
  }
}
