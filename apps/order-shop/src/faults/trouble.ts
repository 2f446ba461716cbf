import { slowMs } from './fault-plan.ts'
import type { FaultPlan, Strike } from './fault-plan.ts'
import type { Life } from '../outside/life.ts'
import type { Party } from '../outside/stage.ts'
import { createRandom } from '../shop/seeded-random.ts'

/** The plan, as it meets one version of the shop: each fault once. */
export interface Trouble {
  latencyMs(party: Party, subject: string): number
  /** Before an effect. Throws where the party refuses. */
  before(party: Party, subject: string, caller: Life): void
  /** After an effect. */
  after(party: Party, subject: string, caller: Life): void
}

/** What can be done to a process. */
export interface Striker {
  crash(process: Life): void
  cut(process: Life): void
}

export function createTrouble(plan: FaultPlan, striker: Striker): Trouble {
  const failuresLeft = new Map(plan.failures)
  const strikesLeft = new Set(plan.strikes)

  function strike(party: Party, subject: string, when: Strike['when'], caller: Life): void {
    for (const planned of strikesLeft) {
      if (planned.party !== party || planned.subject !== subject || planned.when !== when) continue
      strikesLeft.delete(planned)
      striker[planned.kind](caller)
    }
  }

  return {
    latencyMs(party, subject) {
      const call = `${party} ${subject}`
      return plan.slow.has(call) ? slowMs : 3 + Math.floor(createRandom(plan.seed ^ hash(call))() * 20)
    },
    before(party, subject, caller) {
      if (party === 'mail' && subject === plan.poison) throw new Error('550 5.1.1 Mailbox unavailable')
      const call = `${party} ${subject}`
      const left = failuresLeft.get(call) ?? 0
      if (left > 0) {
        failuresLeft.set(call, left - 1)
        throw new Error(`503 The ${party} service does not answer`)
      }
      strike(party, subject, 'before', caller)
    },
    after(party, subject, caller) {
      strike(party, subject, 'after', caller)
    },
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
