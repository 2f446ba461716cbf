import type { TransportEvents } from './contract/events.ts'
import { PosthornError } from './errors.ts'
import { nearestName } from './options/nearest-name.ts'
import { showValue } from './options/show-value.ts'

type Listener = (event: never) => unknown

const names: Readonly<Record<keyof TransportEvents, true>> = {
  connection: true,
  returned: true,
  settlementFailed: true,
  leaseLost: true,
  expired: true,
  decodeFailed: true,
  retried: true,
  deadLettered: true,
  deadLetterFailed: true,
  handlerTimedOut: true,
  handlerFailed: true,
  suspect: true,
  paused: true,
  resumed: true,
  stalled: true,
  rebuilt: true,
  gap: true,
  callbackFailed: true,
}

/** Hands events to their listeners; one that throws, or rejects, harms nobody. */
export class EventHub {
  /** Each registration is an entry of its own, so that a function may be registered twice. */
  private readonly listeners = new Map<keyof TransportEvents, Map<symbol, Listener>>()

  on<Name extends keyof TransportEvents>(
    name: Name,
    listener: (event: TransportEvents[Name]) => void,
  ): () => void {
    if (!Object.hasOwn(names, name)) throw unknownEvent(name)
    if (typeof listener !== 'function') {
      const text = `on("${name}") takes a function as its listener, and got ${showValue(listener)}.`
      throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
    }
    const registered = this.listeners.get(name) ?? new Map<symbol, Listener>()
    this.listeners.set(name, registered)
    const key = Symbol(name)
    registered.set(key, listener)
    return () => void registered.delete(key)
  }

  readonly emit = <Name extends keyof TransportEvents>(name: Name, event: TransportEvents[Name]): void => {
    const registered = this.listeners.get(name)
    if (registered === undefined || registered.size === 0) return
    // Those of now: a listener that registers another does not make it hear this event.
    for (const listener of [...registered.values()]) {
      try {
        const result = (listener as (event: TransportEvents[Name]) => unknown)(event)
        if (result instanceof Promise) result.catch((error: unknown) => this.failed(name, error))
      } catch (error) {
        this.failed(name, error)
      }
    }
  }

  private failed(name: keyof TransportEvents, error: unknown): void {
    if (name !== 'callbackFailed') this.emit('callbackFailed', { where: `a listener of "${name}"`, error })
  }
}

function unknownEvent(name: unknown): PosthornError {
  const known = Object.keys(names)
  const near = typeof name === 'string' ? nearestName(name, known) : undefined
  return new PosthornError(
    'POSTHORN_INVALID_OPTION',
    `on() knows no event ${showValue(name)}.${near === undefined ? '' : ` Did you mean "${near}"?`} Known events: ${known.join(', ')}.`,
    { phase: 'options' },
  )
}
