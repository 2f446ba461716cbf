import type { Clock } from '@posthorn/transport'

/** A process of the simulation. It can be frozen, and it can end at any moment: nothing that it does later counts. */
export class ChainProcess {
  readonly name: string
  /** Others have had its name before. */
  readonly generation: number
  /** Its own: what waits for it is late while it is frozen, and never comes once it is dead. */
  readonly clock: Clock
  isAlive = true
  private readonly outer: Clock
  private frozenUntil = 0
  private readonly endings: (() => void)[] = []

  constructor(name: string, generation: number, outer: Clock) {
    this.name = name
    this.generation = generation
    this.outer = outer
    this.clock = {
      now: () => outer.now(),
      random: () => outer.random(),
      setTimer: (callback, delayMs) => this.timer(callback, (fire) => outer.setTimer(fire, delayMs)),
      defer: (callback) => outer.defer(() => this.whenAwake(callback)),
    }
  }

  /** Now, when it is awake again, or never. */
  whenAwake(callback: () => void): void {
    if (!this.isAlive) return
    if (this.frozenMs > 0) this.clock.setTimer(callback, this.frozenMs)
    else callback()
  }

  /** Resolves when it is awake, and never when it is dead. */
  async goesOn(): Promise<void> {
    while (this.isAlive && this.frozenMs > 0) await this.sleep(this.frozenMs)
    if (!this.isAlive) await never()
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.outer.setTimer(resolve, delayMs))
  }

  freeze(forMs: number): void {
    this.frozenUntil = this.outer.now() + forMs
  }

  /** What its operating system does for it when it is dead. */
  atEnd(callback: () => void): void {
    this.endings.push(callback)
  }

  die(): void {
    if (!this.isAlive) return
    this.isAlive = false
    for (const end of this.endings) end()
  }

  private get frozenMs(): number {
    return this.frozenUntil - this.outer.now()
  }

  private timer(callback: () => void, start: (fire: () => void) => () => void): () => void {
    let cancel = (): void => undefined
    const fire = (): void => {
      if (!this.isAlive) return
      if (this.frozenMs > 0) cancel = this.outer.setTimer(fire, this.frozenMs)
      else callback()
    }
    cancel = start(fire)
    return () => cancel()
  }
}

export function never(): Promise<never> {
  return new Promise(() => undefined)
}
