import { isFenced, isFinal } from './group-errors.ts'
import { shareOut } from './share-out.ts'
import { throwOnError } from './errors.ts'
import { readAssignment, writeSubscription, type Unit } from './group-protocol.ts'
import { kafkaErrors } from './protocol/error-names.ts'
import { heartbeat, joinGroup, leaveGroup, syncGroup, type Joined } from './protocol/group.ts'
import type { Cluster } from './cluster.ts'
import type { Membership } from './protocol/offsets.ts'

/** Milliseconds: beyond how long the others wait for this member to join again, which is as long as a session. */
const joinMarginMs = 10_000
const retryPauseMs = 200
/** How late a member hears at most that others have joined or left. */
const longestBeatMs = 1_000
const leaveTimeoutMs = 1_000

export interface GroupMemberSetup {
  readonly cluster: Cluster
  readonly group: string
  /** Of its connection to the coordinator. */
  readonly purpose: string
  readonly sessionTimeoutMs: number
  /** What the group has positions in: those of other topics are forgotten after a while. */
  readonly topics: readonly string[]
  /** Everything that is to be shared out, as it is now. */
  readonly units: () => Promise<readonly Unit[]>
  readonly listener: {
    /** These are ours from now on. */
    gained(units: readonly string[]): void
    /** This is to be given up; resolves when it is. */
    giveUp(unit: string): Promise<void>
    /** All are gone already. */
    lost(reason: string): void
    /** Nothing can be done any more. */
    failed(error: unknown): void
  }
}

/** One member of a consumer group: joins, keeps its session alive, and gives units up before it joins again. */
export class GroupMember {
  /** Who commits. Changes with each generation. */
  membership: Membership = { generation: -1, memberId: '' }
  private readonly setup: GroupMemberSetup
  private owned = new Set<string>()
  /** What the last generation gave us. */
  private assigned: ReadonlySet<string> = new Set()
  private readonly leaving = new Set<string>()
  /** Something was given up, for somebody else. */
  private wantsToJoin = false
  private resets = 0
  private isOver = false
  private wake: () => void = () => undefined
  private readonly waiters = new Set<() => void>()
  private isStable = false

  constructor(setup: GroupMemberSetup) {
    this.setup = setup
  }

  /** Joins once; afterwards it goes on by itself. Rejects where that is of no use. */
  async start(): Promise<void> {
    await this.setup.cluster.persist(() => this.join(), this.setup.sessionTimeoutMs + joinMarginMs)
    void this.run()
  }

  /** Resolves when the membership is another one than `old` and nothing is being joined, or all is over. */
  async next(old: Membership): Promise<void> {
    while (!this.isOver && (this.membership === old || !this.isStable)) {
      await new Promise<void>((resolve) => {
        this.waiters.add(resolve)
        this.wake()
      })
    }
  }

  /** There are other units than before. */
  rejoin(): void {
    this.wantsToJoin = true
    this.wake()
  }

  /** The broker does not know this member any more. */
  fence(membership: Membership, reason: string): void {
    if (this.membership !== membership || this.isOver) return
    this.reset(reason)
    this.wake()
  }

  /** Leaves, so that the others need not wait for the session to end. Never rejects. */
  async leave(): Promise<void> {
    if (this.isOver) return
    this.isOver = true
    this.wake()
    this.tellWaiters()
    const { cluster, group, purpose } = this.setup
    const { memberId } = this.membership
    if (memberId !== '') {
      const ask = async (): Promise<void> => {
        const request = leaveGroup(group, memberId)
        const { error } = await cluster.askCoordinator(group, 'main', request, leaveTimeoutMs)
        throwOnError(error, `LeaveGroup of ${group}`)
      }
      await cluster.persist(ask, leaveTimeoutMs).catch(() => undefined)
    }
    cluster.endConnections(purpose)
  }

  private async run(): Promise<void> {
    const { cluster, sessionTimeoutMs, listener } = this.setup
    while (!this.isOver) {
      try {
        // One that failed midway is to be done again, too.
        if (!this.isStable || this.wantsToJoin) await this.join()
        if (this.wantsToJoin) continue
        await this.sleep(Math.min(longestBeatMs, sessionTimeoutMs / 4))
        if (!this.isOver && !this.wantsToJoin && this.isStable) await this.beat()
      } catch (error) {
        if (this.isOver) return
        if (isFinal(error) || cluster.isClosed) {
          void this.leave()
          listener.failed(error)
          return
        }
        await cluster.pause(retryPauseMs)
      }
    }
  }

  private async beat(): Promise<void> {
    const { cluster, group, purpose, sessionTimeoutMs } = this.setup
    const { membership } = this
    const { error } = await cluster.askCoordinator(
      group,
      purpose,
      heartbeat(group, membership),
      sessionTimeoutMs,
    )
    if (this.membership !== membership || this.isOver) return
    if (error === kafkaErrors.REBALANCE_IN_PROGRESS) await this.join()
    else if (isFenced(error)) this.reset('the broker does not know this member any more')
    else throwOnError(error, `Heartbeat of ${group}`)
  }

  private reset(reason: string): void {
    this.membership = { generation: -1, memberId: '' }
    this.isStable = false
    this.resets += 1
    const hadSome = this.owned.size > 0
    this.owned.clear()
    this.leaving.clear()
    // Whoever had nothing joins again, and nobody need know.
    if (hadSome) this.setup.listener.lost(reason)
  }

  private async join(): Promise<void> {
    this.isStable = false
    this.wantsToJoin = false
    while (!this.isOver) {
      const units = await this.setup.units()
      const joined = await this.askToJoin()
      const assigned = joined === undefined ? undefined : await this.sync(joined, units)
      if (assigned === undefined || this.isOver) continue
      this.isStable = true
      this.tellWaiters()
      this.take(new Set(assigned))
      return
    }
  }

  private take(assigned: ReadonlySet<string>): void {
    this.assigned = assigned
    const gained = [...assigned].filter((unit) => !this.owned.has(unit))
    for (const unit of this.owned) {
      if (!assigned.has(unit) && !this.leaving.has(unit)) void this.giveUp(unit)
    }
    for (const unit of gained) this.owned.add(unit)
    if (gained.length > 0) this.setup.listener.gained(gained)
  }

  /** Each by itself: one whose handlers run long keeps none of the others from whoever is to have them. */
  private async giveUp(unit: string): Promise<void> {
    this.leaving.add(unit)
    const { resets } = this
    await this.setup.listener.giveUp(unit)
    if (this.isOver || this.resets !== resets) return
    this.leaving.delete(unit)
    this.owned.delete(unit)
    if (this.assigned.has(unit)) {
      // It was given back meanwhile.
      this.owned.add(unit)
      this.setup.listener.gained([unit])
    } else {
      this.wantsToJoin = true
      this.wake()
    }
  }

  /** Nothing when it is over: nobody would know of a member that joins after it has left, until its session is over. */
  private async askToJoin(): Promise<Joined | undefined> {
    const { cluster, group, purpose, sessionTimeoutMs, topics } = this.setup
    while (!this.isOver) {
      const { memberId } = this.membership
      const options = {
        group,
        memberId,
        sessionTimeoutMs,
        rebalanceTimeoutMs: sessionTimeoutMs,
        protocol: 'posthorn',
        metadata: writeSubscription({ topics, owned: [...this.owned] }),
      }
      const joined = await cluster.askCoordinator(
        group,
        purpose,
        joinGroup(options),
        sessionTimeoutMs + joinMarginMs,
      )
      if (joined.error === kafkaErrors.MEMBER_ID_REQUIRED) {
        this.membership = { generation: -1, memberId: joined.memberId }
      } else if (isFenced(joined.error)) {
        this.reset('the broker does not know this member any more')
      } else {
        throwOnError(joined.error, `JoinGroup of ${group}`)
        return this.isOver ? undefined : joined
      }
    }
    return undefined
  }

  /** The names of our units; nothing where it has to be joined again. */
  private async sync(joined: Joined, units: readonly Unit[]): Promise<readonly string[] | undefined> {
    const { cluster, group, purpose, sessionTimeoutMs } = this.setup
    const { generation, memberId } = joined
    const membership = { generation, memberId }
    const { error, assignment } = await cluster.askCoordinator(
      group,
      purpose,
      syncGroup(group, membership, joined.leaderId === memberId ? shareOut(joined, units) : []),
      sessionTimeoutMs + joinMarginMs,
    )
    if (error === kafkaErrors.REBALANCE_IN_PROGRESS) {
      this.membership = { generation: -1, memberId }
      return undefined
    }
    if (isFenced(error)) {
      this.reset('the broker does not know this member any more')
      return undefined
    }
    throwOnError(error, `SyncGroup of ${group}`)
    this.membership = membership
    return readAssignment(assignment)
  }

  private sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.setup.cluster.clock.setTimer(resolve, ms)
      this.wake = () => {
        cancel()
        resolve()
      }
    })
  }

  private tellWaiters(): void {
    const waiters = [...this.waiters]
    this.waiters.clear()
    for (const waiter of waiters) waiter()
  }
}
