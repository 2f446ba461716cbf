import { groupBy } from './group-by.ts'
import { KafkaError } from './errors.ts'
import { isFenced } from './group-errors.ts'
import { isPassing } from './cluster.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { commitOffsets, type Commit } from './protocol/offsets.ts'
import type { Cluster } from './cluster.ts'
import type { GroupMember } from './group-member.ts'

/** Milliseconds. */
const retryPauseMs = 50
const rebalancePauseMs = 1_000

/** What has positions to be committed. */
export interface CommitOwner {
  /** What is to be committed now. */
  commits(): readonly Commit[]
  /** What was answered last is with the broker. */
  committed(): void
  /** It cannot be. */
  failed(error: unknown): void
}

interface Snapshot {
  readonly owner: CommitOwner
  readonly commits: readonly Commit[]
}

/** Commits positions: one request at a time, with all that has changed meanwhile in the next. */
export class Committer {
  private readonly cluster: Cluster
  private readonly group: string
  private readonly member: GroupMember
  private readonly purpose: string
  private changed = new Set<CommitOwner>()
  /** Whose positions are under way, unless they were forgotten meanwhile. */
  private readonly waiting = new Set<CommitOwner>()
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

  /** It is somebody else's, who may have committed since: nothing of it is written again. */
  forget(owner: CommitOwner): void {
    this.changed.delete(owner)
    this.waiting.delete(owner)
  }

  close(): void {
    this.isOver = true
    this.changed.clear()
    this.waiting.clear()
    this.cluster.endConnections(this.purpose)
  }

  private async run(): Promise<void> {
    while (this.changed.size > 0 && !this.isOver) {
      const owners = this.changed
      this.changed = new Set()
      const pause = await this.commit(this.snapshots(owners))
      this.waiting.clear()
      await pause?.()
    }
    this.isRunning = false
  }

  private snapshots(owners: ReadonlySet<CommitOwner>): readonly Snapshot[] {
    const snapshots: Snapshot[] = []
    for (const owner of owners) {
      try {
        snapshots.push({ owner, commits: owner.commits() })
        this.waiting.add(owner)
      } catch (error) {
        owner.failed(error)
      }
    }
    return snapshots
  }

  /** Answers what to wait for before the next, if anything. */
  private async commit(snapshots: readonly Snapshot[]): Promise<(() => Promise<unknown>) | undefined> {
    const all = snapshots.flatMap(({ commits }) => commits)
    const { membership } = this.member
    const isMember = membership.generation >= 0
    const errors = isMember ? await this.ask(all) : new Map(all.map((one) => [one, rebalancing]))
    let pause: (() => Promise<unknown>) | undefined
    for (const { owner, commits } of snapshots) {
      if (!this.waiting.has(owner)) continue
      const error = commits.map((one) => errors.get(one)!).find((code) => code !== kafkaErrors.NONE)
      if (error === undefined) {
        owner.committed()
        continue
      }
      const reason = new KafkaError(error, `OffsetCommit of ${this.group}`)
      if (isPassing(reason)) pause ??= () => this.cluster.pause(retryPauseMs)
      else if (isFenced(error) || error === rebalancing) pause = () => this.nextMembership(membership)
      else {
        owner.failed(reason)
        continue
      }
      // Those that are still ours afterwards are tried again.
      this.changed.add(owner)
    }
    // Another generation may have begun that this member is about to hear of; only its id is certain.
    if ([...errors.values()].includes(kafkaErrors.UNKNOWN_MEMBER_ID)) {
      this.member.fence(membership, 'the broker does not know this member any more')
    }
    return pause
  }

  private nextMembership(old: GroupMember['membership']): Promise<unknown> {
    return this.cluster.atMost(rebalancePauseMs, this.member.next(old))
  }

  /** The error of each; a passing one where there is no answer. */
  private async ask(commits: readonly Commit[]): Promise<ReadonlyMap<Commit, number>> {
    const request = commitOffsets(this.group, this.member.membership, commits)
    try {
      const { results } = await this.cluster.askCoordinator(this.group, this.purpose, {
        ...request,
        read(reader) {
          const found = request.read(reader)
          return { results: found, error: found.find(({ error }) => error !== kafkaErrors.NONE)?.error ?? 0 }
        },
      })
      const byPlace = groupBy(results, ({ topic, partition }) => `${topic} ${partition}`)
      return new Map(
        commits.map((one) => {
          const [result] = byPlace.get(`${one.topic} ${one.partition}`) ?? []
          return [one, result?.error ?? kafkaErrors.UNKNOWN_SERVER_ERROR]
        }),
      )
    } catch (error) {
      const code =
        error instanceof KafkaError && !isPassing(error)
          ? error.kafkaCode
          : kafkaErrors.COORDINATOR_NOT_AVAILABLE
      return new Map(commits.map((one) => [one, code]))
    }
  }
}

const rebalancing = kafkaErrors.REBALANCE_IN_PROGRESS
