import { KafkaError } from './errors.ts'
import { isFenced } from './group-errors.ts'
import { isPassing } from './cluster.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { commitOffsets, type Commit } from './protocol/offsets.ts'
import type { Cluster } from './cluster.ts'
import type { GroupMember } from './group-member.ts'

/** Milliseconds. */
const retryPauseMs = 50

/** What has positions to be committed. */
export interface CommitOwner {
  /** What is to be committed now. */
  commits(): readonly Commit[]
  /** What was answered last is with the broker. */
  committed(): void
  /** It cannot be. */
  failed(error: unknown): void
}

/** Commits positions: one request at a time, with all that has changed meanwhile in the next. */
export class Committer {
  private readonly cluster: Cluster
  private readonly group: string
  private readonly member: GroupMember
  private readonly purpose: string
  private changed = new Set<CommitOwner>()
  private isRunning = false
  private isOver = false

  constructor(cluster: Cluster, group: string, member: GroupMember, purpose: string) {
    this.cluster = cluster
    this.group = group
    this.member = member
    this.purpose = purpose
  }

  /** Something of it is to be committed, with what else there is at the end of the turn. */
  mark(owner: CommitOwner): void {
    this.changed.add(owner)
    if (this.isRunning || this.isOver) return
    this.isRunning = true
    this.cluster.clock.defer(() => void this.run())
  }

  forget(owner: CommitOwner): void {
    this.changed.delete(owner)
  }

  close(): void {
    this.isOver = true
    this.changed.clear()
    this.cluster.endConnections(this.purpose)
  }

  private async run(): Promise<void> {
    while (this.changed.size > 0 && !this.isOver) {
      const owners = this.changed
      this.changed = new Set()
      try {
        await this.commit(owners)
      } catch (error) {
        for (const owner of owners) if (!this.isOver) owner.failed(error)
      }
    }
    this.isRunning = false
  }

  private async commit(owners: ReadonlySet<CommitOwner>): Promise<void> {
    const snapshots = [...owners].map((owner) => ({ owner, commits: owner.commits() }))
    const all = snapshots.flatMap(({ commits }) => commits)
    if (all.length === 0) return
    const { membership } = this.member
    const errors = membership.generation < 0 ? [kafkaErrors.REBALANCE_IN_PROGRESS] : await this.ask(all)
    const worst = errors.find((error) => error !== kafkaErrors.NONE) ?? kafkaErrors.NONE
    if (worst === kafkaErrors.NONE) {
      for (const { owner } of snapshots) owner.committed()
      return
    }
    const error = new KafkaError(worst, `OffsetCommit of ${this.group}`)
    const isTooLate = isFenced(worst)
    if (!isTooLate && worst !== kafkaErrors.REBALANCE_IN_PROGRESS && !isPassing(error)) throw error
    // Those that are still ours afterwards are tried again.
    for (const { owner } of snapshots) this.changed.add(owner)
    // Another generation may have begun that this member is about to hear of; only its id is certain.
    if (worst === kafkaErrors.UNKNOWN_MEMBER_ID) {
      this.member.fence(membership, 'the broker does not know this member any more')
    }
    if (isPassing(error)) await this.cluster.pause(retryPauseMs)
    else await Promise.race([this.member.next(membership), this.cluster.pause(1_000)])
  }

  /** The error of each; a passing one where there is no answer. */
  private async ask(commits: readonly Commit[]): Promise<readonly number[]> {
    const request = commitOffsets(this.group, this.member.membership, commits)
    try {
      const { errors } = await this.cluster.askCoordinator(this.group, this.purpose, {
        ...request,
        read(reader) {
          const found = request.read(reader).map(({ error }) => error)
          return { errors: found, error: found.find((error) => error !== kafkaErrors.NONE) ?? 0 }
        },
      })
      return errors
    } catch (error) {
      if (!isPassing(error)) throw error
      return [kafkaErrors.COORDINATOR_NOT_AVAILABLE]
    }
  }
}
