import { attempts } from './attempts.ts'
import { batches } from './batches.ts'
import { brokerTrouble } from './broker-trouble.ts'
import { capabilities } from './capabilities.ts'
import { crashes } from './crashes.ts'
import { deadLetterPasses } from './dead-letter-passes.ts'
import { deadLetters } from './dead-letters.ts'
import { deduplication } from './deduplication.ts'
import { delays } from './delays.ts'
import { delivery } from './delivery.ts'
import { ephemeral } from './ephemeral.ts'
import { expiry } from './expiry.ts'
import { groups } from './groups.ts'
import { handlerTimeouts } from './handler-timeouts.ts'
import { heldKeys } from './held-keys.ts'
import { leases } from './leases.ts'
import { messages } from './messages.ts'
import { ordering } from './ordering.ts'
import { pausedTypes } from './paused-types.ts'
import { pausing } from './pausing.ts'
import { priority } from './priority.ts'
import { publishOutcomes } from './publish-outcomes.ts'
import { publishing } from './publishing.ts'
import { recovery } from './recovery.ts'
import { routing } from './routing.ts'
import { scopes } from './scopes.ts'
import { settling } from './settling.ts'
import { shutdown } from './shutdown.ts'
import { stopping } from './stopping.ts'
import { topology } from './topology.ts'
import { wire } from './wire.ts'
import { model } from '../model/model-behaviours.ts'
import type { Area, Behaviour } from '../behaviour.ts'

/** Everything that a transport has to show. */
export const areas: readonly Area[] = [
  publishing,
  publishOutcomes,
  messages,
  delivery,
  groups,
  batches,
  routing,
  ephemeral,
  settling,
  attempts,
  leases,
  scopes,
  handlerTimeouts,
  ordering,
  heldKeys,
  delays,
  expiry,
  priority,
  deduplication,
  deadLetters,
  deadLetterPasses,
  wire,
  pausing,
  pausedTypes,
  shutdown,
  stopping,
  recovery,
  brokerTrouble,
  crashes,
  topology,
  capabilities,
  model,
]

export const behaviours: readonly Behaviour[] = areas.flatMap((area) => area.behaviours)
