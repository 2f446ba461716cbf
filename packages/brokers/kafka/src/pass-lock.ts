import { commitOffsets } from './protocol/offsets.ts'
import { isPassing } from './cluster.ts'
import { deadLettersBusy, deadLettersLost, KafkaError, toKafkaError } from './errors.ts'
import { GroupMember } from './group-member.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import type { ConsumerParts } from './consumer-parts.ts'
import type { Unit } from './group-protocol.ts'

/** A group of its own, whose only unit one member has at a time. */
export class PassLock {
  readonly member: GroupMember
  private readonly parts: ConsumerParts
  private readonly group: string
  private readonly unit: Unit
  private readonly source: string
  private state: 'waiting' | 'ours' | 'lost' = 'waiting'

  private constructor(parts: ConsumerParts, topic: string, source: string) {
    this.parts = parts
    this.group = `${topic}..pass`
    this.source = source
    this.unit = { name: 'pass:0', partitions: [{ topic, partition: 0 }] }
    this.member = new GroupMember({
      cluster: parts.cluster,
      group: this.group,
      purpose: `pass-${parts.nextSerial()}`,
      sessionTimeoutMs: parts.settings.sessionTimeoutMs,
      topics: [topic],
      units: async () => [this.unit],
      listener: {
        gained: () => {
          if (this.state === 'waiting') this.state = 'ours'
        },
        giveUp: async () => this.lose(),
        lost: () => this.lose(),
        failed: () => this.lose(),
      },
    })
  }

  /** For good: somebody else may have it, and decide on the same. */
  private lose(): void {
    this.state = 'lost'
    void this.member.leave()
  }

  static async take(parts: ConsumerParts, topic: string, source: string): Promise<PassLock> {
    const lock = new PassLock(parts, topic, source)
    try {
      await lock.member.start()
    } catch (error) {
      await lock.member.leave()
      throw toKafkaError(error, `the pass over the dead letters of "${source}"`, { phase: 'receive' })
    }
    if (lock.state === 'ours') return lock
    await lock.member.leave()
    throw deadLettersBusy(source)
  }

  /** Rejects when it is somebody else's, as the broker sees it. */
  async check(): Promise<void> {
    if (this.state !== 'ours') throw deadLettersLost(this.source)
    const { membership } = this.member
    const { topic, partition } = this.unit.partitions[0]!
    const request = commitOffsets(this.group, membership, [{ topic, partition, offset: 0, metadata: '' }])
    const { cluster } = this.parts
    const error = await cluster.persist(async () => {
      const answer = await cluster.askCoordinator(this.group, 'main', {
        ...request,
        read: (reader) => ({ error: request.read(reader)[0]?.error ?? kafkaErrors.NONE }),
      })
      const refusal = new KafkaError(answer.error, `OffsetCommit of ${this.group}`)
      if (isPassing(refusal)) throw refusal
      return answer.error
    })
    if (error === kafkaErrors.UNKNOWN_MEMBER_ID) {
      this.lose()
      throw deadLettersLost(this.source)
    }
  }
}
