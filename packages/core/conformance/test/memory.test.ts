import { describeTransport } from '@posthorn/conformance'
import { memorySubject, type MemoryVariant } from './memory-harness.ts'

/** The in-memory broker, and brokers that lack what others lack, so that the runner is proven against all shapes. */
const variants: Readonly<Record<string, NonNullable<MemoryVariant['options']>>> = {
  memory: {},
  'memory-shards': { shards: 4 },
  'memory-session-leases': { lease: { scope: 'session' } },
  'memory-bounded-sessions': { lease: { scope: 'session', maxHoldMs: 60_000 } },
  'memory-counted-releases': { release: 'counted' },
  'memory-counted-attempts': { release: 'counted', attemptCount: false },
  'memory-no-delay': { delay: false },
  'memory-short-delays': { maxDelayMs: 60_000 },
  'memory-fixed-flow': { flow: 'fixed', shards: 3 },
  'memory-sent': { confirm: 'sent' },
  'memory-client-patterns': { patterns: 'client' },
  'memory-bare': {
    delay: false,
    priority: false,
    deduplication: false,
    ephemeral: false,
    keyOrder: false,
    deliveryCount: false,
    history: false,
    release: 'counted',
  },
}

for (const [name, options] of Object.entries(variants)) {
  const subject = memorySubject(name, () => ({ options }))
  describeTransport({ ...subject, writesResults: name === 'memory' })
}

const withoutPositions = memorySubject('memory-no-positions', () => ({ positions: false }))
describeTransport({ ...withoutPositions, writesResults: false })
