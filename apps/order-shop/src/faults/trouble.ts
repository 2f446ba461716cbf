import type { Claims } from './claims.ts'
import { slowMs } from './fault-plan.ts'
import type { FaultPlan, Strike } from './fault-plan.ts'
import type { Life } from '../outside/life.ts'
import type { Party } from '../outside/stage.ts'
import { createRandom } from '../shop/seeded-random.ts'

/** The plan, as it meets one version of the shop: each fault once. */
export interface Trouble {
  latencyMs(party: Party, subject: string): number
  /** Before an effect. Rejects where the party refuses. */
  before(party: Party, subject: string, caller: Life): Promise<void>
  /** After an effect. */
  after(party: Party, subject: string, caller: Life): Promise<void>
}

/** What can be done to a process; over when it has happened. */
export interface Striker {
  crash(process: Life): void | Promise<void>
  cut(process: Life): void | Promise<void>
}

/** `claims` tell what has happened already, whichever process it happened to. */
export function createTrouble(plan: FaultPlan, striker: Striker, claims: Claims): Trouble {
  async function strike(party: Party, subject: string, when: Strike['when'], caller: Life): Promise<void> {
    for (const planned of plan.strikes) {
      if (planned.party !== party || planned.subject !== subject || planned.when !== when) continue
      if (claims.claim(`${planned.kind} ${when} ${party} ${subject}`)) await striker[planned.kind](caller)
    }
  }

  return {
    latencyMs(party, subject) {
      const call = `${party} ${subject}`
      return plan.slow.has(call) ? slowMs : 3 + Math.floor(createRandom(plan.seed ^ hash(call))() * 20)
    },
    async before(party, subject, caller) {
      if (party === 'mail' && subject === plan.poison) throw new Error('550 5.1.1 Mailbox unavailable')
      const call = `${party} ${subject}`
      for (let time = 1; time <= (plan.failures.get(call) ?? 0); time++) {
        if (claims.claim(`refusal ${time} ${call}`))
          throw new Error(`503 The ${party} service does not answer`)
      }
      await strike(party, subject, 'before', caller)
    },
    async after(party, subject, caller) {
      await strike(party, subject, 'after', caller)
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
