import type { Clock } from '@posthorn/transport'
import type { Claims } from './claims.ts'
import { outageMs, slowMs } from './fault-plan.ts'
import type { FaultPlan, Strike } from './fault-plan.ts'
import type { Life } from '../outside/life.ts'
import type { Party } from '../outside/stage.ts'
import { createRandom } from '../shop/seeded-random.ts'

/** The plan, as it meets one version of the shop: each fault once. */
export interface Trouble {
  latencyMs(party: Party, subject: string): number
  /** Throws where the party does not do what it is asked for. */
  refuse(party: Party, subject: string): void
  /** Before an effect, or after it: the process may crash, or its connection be cut. */
  strike(party: Party, subject: string, when: Strike['when'], caller: Life): Promise<void>
  /** Lifts what has been refused for ever. */
  repair(): void
}

/** What can be done to a process; over when it has happened. */
export interface Striker {
  crash(process: Life): void | Promise<void>
  cut(process: Life): void | Promise<void>
}

export interface TroubleParts {
  readonly plan: FaultPlan
  readonly striker: Striker
  /** What has happened already, whichever process it happened to. */
  readonly claims: Claims
  readonly clock: Clock
}

export function createTrouble({ plan, striker, claims, clock }: TroubleParts): Trouble {
  function isDown(party: Party, subject: string): boolean {
    if (party !== 'payment') return false
    if (subject === plan.outage) claims.claim('outage')
    const since = claims.since('outage')
    return since !== undefined && clock.now() < since + outageMs
  }

  return {
    latencyMs(party, subject) {
      const call = `${party} ${subject}`
      return plan.slow.has(call) ? slowMs : 3 + Math.floor(createRandom(plan.seed ^ hash(call))() * 20)
    },
    refuse(party, subject) {
      if (isDown(party, subject)) throw new Error('503 The payment provider is down')
      if (party === 'mail' && subject === plan.poison && claims.since('repaired') === undefined)
        throw new Error('552 5.2.2 Mailbox full')
      const call = `${party} ${subject}`
      for (let time = 1; time <= (plan.failures.get(call) ?? 0); time++) {
        if (claims.claim(`refusal ${time} ${call}`))
          throw new Error(`503 The ${party} service does not answer`)
      }
    },
    async strike(party, subject, when, caller) {
      for (const planned of plan.strikes) {
        if (planned.party !== party || planned.subject !== subject || planned.when !== when) continue
        if (claims.claim(`${planned.kind} ${when} ${party} ${subject}`)) await striker[planned.kind](caller)
      }
    },
    repair: () => void claims.claim('repaired'),
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
