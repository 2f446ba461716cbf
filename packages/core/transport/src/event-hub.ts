import type { TransportEvents } from './contract/events.ts'

type Listener<Name extends keyof TransportEvents> = (event: TransportEvents[Name]) => void

/** Hands events to their listeners; one that throws harms nobody. */
export class EventHub {
  private readonly listeners = new Map<keyof TransportEvents, Set<Listener<never>>>()

  on<Name extends keyof TransportEvents>(name: Name, listener: Listener<Name>): () => void {
    const set = this.listeners.get(name) ?? new Set()
    this.listeners.set(name, set)
    set.add(listener)
    return () => set.delete(listener)
  }

  readonly emit = <Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void => {
    const set = this.listeners.get(name)
    if (set === undefined) return
    for (const listener of set) {
      try {
        ;(listener as Listener<Name>)(event)
      } catch (error) {
        if (name !== 'callbackFailed') this.emit('callbackFailed', { where: `a listener of "${name}"`, error })
      }
    }
  }
}
