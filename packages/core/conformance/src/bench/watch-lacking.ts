import { isLacking } from './bind-faults.ts'
import type { Faults } from '../harness.ts'
import type { Transport } from '@posthorn/transport'

/** What shows that something happened which is said not to happen. */
export interface LackingWatch {
  watch(transport: Transport): void
  /** Throws when it did. */
  check(): void
}

/** Nobody can excuse a broker from a fault that it has: where one is said not to exist, its traces are looked for. */
export function watchLacking(faults: Faults): LackingWatch {
  let seen: string | undefined
  return {
    watch(transport) {
      if (isLacking(faults, 'failSettlements')) {
        transport.on('settlementFailed', ({ verb, source }) => {
          if (verb === 'ack') seen ??= `"failSettlements" cannot happen, but an ack failed at ${source}`
        })
      }
      if (isLacking(faults, 'block')) {
        transport.on('connection', ({ state }) => {
          if (state === 'blocked') seen ??= '"block" cannot happen, but health says `blocked`'
        })
      }
      if (isLacking(faults, 'stall')) {
        transport.on('stalled', ({ source }) => {
          seen ??= `"stall" cannot happen, but ${source} stalled`
        })
      }
    },
    check() {
      if (seen !== undefined) throw new Error(`The harness says that ${seen}.`)
    },
  }
}
