import { wireMessage } from './wire-message.ts'
import type { Delivery } from '../src/contract/driver.ts'
import type { WireMessage } from '../src/contract/wire-message.ts'
import { HeldScope } from '../src/consume/held-scope.ts'
import { Run } from '../src/consume/run.ts'

/** A message as a driver would hand it out. */
export function makeWire(fields: Partial<WireMessage> = {}): WireMessage {
  return wireMessage('message-1', 1, fields)
}

export interface MadeRun {
  readonly wire?: Partial<WireMessage>
  readonly deliveries?: number
  /** Default: one of its own. */
  readonly held?: HeldScope
  /** Epoch milliseconds. Default 0. */
  readonly now?: number
}

/** A delivery that is held; for tests. */
export function makeRun({
  wire,
  deliveries = 1,
  held = new HeldScope({ name: 'scope' }, undefined, 3),
  now = 0,
}: MadeRun = {}): Run {
  const delivery: Delivery = {
    scope: held.scope,
    token: undefined,
    message: makeWire(wire),
    deliveries,
    invalid: undefined,
  }
  const run = new Run({ source: 'orders', output: () => Promise.resolve() }, held, delivery, now)
  held.add(run)
  return run
}
