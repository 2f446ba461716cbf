import type { TransportEvents } from '../contract/events.ts'

/** What a runner does about its pauses. */
export interface PausingOwner {
  readonly source: string
  emit<Name extends 'paused' | 'resumed'>(name: Name, event: TransportEvents[Name]): void
  /** Whether types cannot be told apart without spending attempts or order, so that all of it pauses. */
  pausesWhole(): boolean
  /** Nothing is to be handed out from now on, or everything again. */
  wholePaused(paused: boolean): void
  /** Other types are paused than before. */
  typesChanged(): void
}

const none: ReadonlySet<string> = new Set()

/**
 * Who has paused what. The consumer's holder has paused something or has not; middleware is counted, since several may
 * pause the same and each must be able to rely on it.
 */
export class Pausing {
  private whole = false
  private types = none
  private readonly owner: PausingOwner
  private holderAll = false
  private readonly holderTypes = new Set<string>()
  private countedAll = 0
  private readonly countedTypes = new Map<string, number>()

  constructor(owner: PausingOwner) {
    this.owner = owner
  }

  /** Whether single types are paused. */
  get any(): boolean {
    return this.types.size > 0
  }

  has(type: string): boolean {
    return this.types.has(type)
  }

  pause(types: readonly string[] | undefined): void {
    if (types === undefined) this.holderAll = true
    else for (const type of types) this.holderTypes.add(type)
    this.apply('asked for')
  }

  /** Without types: whatever the holder has paused. */
  resume(types: readonly string[] | undefined): void {
    if (types === undefined) {
      this.holderAll = false
      this.holderTypes.clear()
    } else for (const type of types) this.holderTypes.delete(type)
    this.apply('')
  }

  pauseCounted(types: readonly string[] | undefined, reason: string): void {
    if (types === undefined) this.countedAll++
    else
      for (const type of new Set(types)) this.countedTypes.set(type, (this.countedTypes.get(type) ?? 0) + 1)
    this.apply(reason)
  }

  resumeCounted(types: readonly string[] | undefined): void {
    if (types === undefined) this.countedAll = Math.max(0, this.countedAll - 1)
    else {
      for (const type of new Set(types)) {
        const count = this.countedTypes.get(type) ?? 0
        if (count > 1) this.countedTypes.set(type, count - 1)
        else this.countedTypes.delete(type)
      }
    }
    this.apply('')
  }

  /** Holds what is asked for against what can be done, and tells of what that changes. */
  apply(reason: string): void {
    const { owner } = this
    const { source } = owner
    const asked = new Set([...this.holderTypes, ...this.countedTypes.keys()])
    const pausesWhole = asked.size > 0 && owner.pausesWhole()
    const types = pausesWhole ? none : asked
    const whole = this.holderAll || this.countedAll > 0 || pausesWhole
    const { types: before, whole: wasWhole } = this
    this.types = types
    this.whole = whole
    const paused = [...types].filter((type) => !before.has(type))
    const resumed = [...before].filter((type) => !types.has(type))
    if (whole && !wasWhole) owner.emit('paused', { source, types: undefined, reason })
    if (paused.length > 0) owner.emit('paused', { source, types: paused, reason })
    if (resumed.length > 0) owner.emit('resumed', { source, types: resumed })
    if (wasWhole && !whole) owner.emit('resumed', { source, types: undefined })
    if (paused.length > 0 || resumed.length > 0) owner.typesChanged()
    if (whole !== wasWhole) owner.wholePaused(whole)
  }
}
