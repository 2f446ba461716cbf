/** A consumer that can make way for another one's message that must run alone in its process. */
export interface Yielding {
  /** Takes nothing more, gives back what has not begun, and calls back when no handler runs. */
  makeWay(idle: () => void): void
  goOn(): void
}

/** One message at a time may have the whole process; its neighbours give way, so that a crash counts only against it. */
export class LoneGate {
  private readonly members = new Set<Yielding>()
  private readonly waiting: { readonly member: Yielding; readonly enter: () => void }[] = []
  private holder: Yielding | undefined = undefined

  join(member: Yielding): void {
    this.members.add(member)
    if (this.holder !== undefined && this.holder !== member) member.makeWay(() => {})
  }

  part(member: Yielding): void {
    this.members.delete(member)
    const index = this.waiting.findIndex((one) => one.member === member)
    if (index !== -1) this.waiting.splice(index, 1)
    if (this.holder === member) this.leave(member)
  }

  /** Calls `enter` once everybody else is idle. */
  ask(member: Yielding, enter: () => void): void {
    this.waiting.push({ member, enter })
    if (this.holder === undefined) this.admit()
  }

  leave(member: Yielding): void {
    if (this.holder !== member) return
    this.holder = undefined
    if (this.waiting.length > 0) this.admit()
    else for (const one of this.members) if (one !== member) one.goOn()
  }

  private admit(): void {
    const next = this.waiting.shift()
    if (next === undefined) return
    this.holder = next.member
    const others = [...this.members].filter((one) => one !== next.member)
    let busy = others.length
    if (busy === 0) return next.enter()
    for (const other of others) {
      let told = false
      other.makeWay(() => {
        if (told) return
        told = true
        if (--busy === 0 && this.holder === next.member) next.enter()
      })
    }
  }
}
