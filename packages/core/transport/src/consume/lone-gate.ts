/** A consumer that can make way for another one's message that must run alone in its process. */
export interface Yielding {
  /** Takes nothing more, gives back what has not begun, and calls back when no handler runs. */
  makeWay(idle: () => void): void
  goOn(): void
}

/** One message at a time may have the whole process; its neighbours give way, so that a crash counts only against it. */
export class LoneGate {
  private readonly members = new Set<Yielding>()
  private holder: Yielding | undefined = undefined
  /** Neighbours of the holder that still have handlers running. */
  private readonly busy = new Set<Yielding>()
  private enter: (() => void) | undefined = undefined

  join(member: Yielding): void {
    this.members.add(member)
    if (this.holder !== undefined) member.makeWay(() => {})
  }

  part(member: Yielding): void {
    this.members.delete(member)
    this.idle(member)
    this.leave(member)
  }

  /** Calls `enter` once everybody else is idle, unless `leave` comes first. False when another one has it. */
  ask(member: Yielding, enter: () => void): boolean {
    if (this.holder !== undefined) return false
    this.holder = member
    this.enter = enter
    const others = [...this.members].filter((one) => one !== member)
    for (const other of others) this.busy.add(other)
    if (others.length === 0) this.admit()
    for (const other of others) other.makeWay(() => this.idle(other))
    return true
  }

  leave(member: Yielding): void {
    if (this.holder !== member) return
    this.holder = undefined
    this.enter = undefined
    this.busy.clear()
    for (const one of [...this.members]) {
      // Who goes on may ask for itself, at once.
      if (this.holder !== undefined) return
      if (one !== member) one.goOn()
    }
  }

  private idle(member: Yielding): void {
    if (this.busy.delete(member)) this.admit()
  }

  private admit(): void {
    if (this.busy.size > 0) return
    const { enter } = this
    this.enter = undefined
    enter?.()
  }
}
