import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ClaimedMessage, Store } from '@posthorn/store'
import type { StoreBench } from '../store-bench.ts'

/** One step of a program; `relay` says which of the two takes it. */
export type OutboxCommand =
  | { readonly name: 'append'; readonly keys: readonly (string | undefined)[] }
  | { readonly name: 'claim'; readonly relay: number; readonly limit: number }
  | { readonly name: 'sent'; readonly relay: number; readonly part: string }
  | { readonly name: 'release'; readonly relay: number; readonly part: string; readonly delayMs: number }
  | { readonly name: 'pass'; readonly durationMs: number }

const relay = fc.nat({ max: 1 })
const key = fc.constantFrom(undefined, 'a', 'b')
/** Which part of what a relay had last it speaks of. */
const part = fc.constantFrom('first', 'rest', 'all')

const commands: fc.Arbitrary<OutboxCommand> = fc.oneof(
  {
    arbitrary: fc.record({
      name: fc.constant('append' as const),
      keys: fc.array(key, { minLength: 1, maxLength: 5 }),
    }),
    weight: 3,
  },
  {
    arbitrary: fc.record({ name: fc.constant('claim' as const), relay, limit: fc.constantFrom(1, 3, 1_000) }),
    weight: 5,
  },
  { arbitrary: fc.record({ name: fc.constant('sent' as const), relay, part }), weight: 4 },
  {
    arbitrary: fc.record({
      name: fc.constant('release' as const),
      relay,
      part,
      delayMs: fc.constantFrom(0, 10_000),
    }),
    weight: 2,
  },
  {
    arbitrary: fc.record({
      name: fc.constant('pass' as const),
      durationMs: fc.constantFrom(20_000, 60_000),
    }),
    weight: 2,
  },
)

export const outboxPrograms: fc.Arbitrary<readonly OutboxCommand[]> = fc.array(commands, {
  minLength: 1,
  maxLength: 30,
  size: 'max',
})

// Ends between the times that are looked at, as in the claims' programs.
const leaseMs = 50_000

interface Row {
  readonly id: string
  readonly key: string | undefined
  freeAt: number
  fence: number
  claims: number
}

/** Runs a program with two relays, checking what each gets, and sends all that is left at the end. */
export async function runOutboxProgram(
  bench: StoreBench,
  stores: readonly Store<unknown>[],
  run: string,
  program: readonly OutboxCommand[],
): Promise<void> {
  let now = 0
  let appended = 0
  let rows: Row[] = []
  const had = stores.map(() => ({ fence: 1, ids: [] as string[] }))

  for (const command of program) {
    if (command.name === 'pass') {
      await bench.pass(command.durationMs)
      now += command.durationMs
    } else if (command.name === 'append') {
      await append(command.keys)
    } else if (command.name === 'claim') {
      await claim(command.relay, command.limit)
    } else {
      const { fence, ids } = had[command.relay]!
      const chosen = choose(ids, command.part)
      const store = stores[command.relay]!
      if (command.name === 'sent') {
        await store.outbox.sent(chosen)
        rows = rows.filter(({ id }) => !chosen.includes(id))
      } else {
        await store.outbox.release({ fence, ids: chosen, delayMs: command.delayMs })
        for (const row of rows)
          if (row.fence === fence && chosen.includes(row.id)) row.freeAt = now + command.delayMs
      }
    }
  }

  await bench.pass(60_000)
  now += 60_000
  await claim(0, 1_000)
  assert.ok(
    rows.every((row) => had[0]!.ids.includes(row.id)),
    'all that is left can be had',
  )
  await stores[0]!.outbox.sent(had[0]!.ids)

  async function append(keys: readonly (string | undefined)[]): Promise<void> {
    const added = keys.map((name) => {
      appended += 1
      return { id: `${run}-${appended}`, key: name === undefined ? undefined : `${run}-${name}` }
    })
    await stores[0]!.outbox.append(added.map(({ id, key: name }) => ({ id, body: id, key: name })))
    rows.push(...added.map((message) => ({ ...message, freeAt: now, fence: 0, claims: 0 })))
  }

  async function claim(index: number, limit: number): Promise<void> {
    const { fence, messages } = await stores[index]!.outbox.claim({ limit, leaseMs })
    const ids = messages.map(({ id }) => id)
    // It goes on with what it had, when there is nothing new.
    if (ids.length > 0) had[index] = { fence, ids }
    const free = claimable()
    assert.ok(messages.length <= limit)
    const enough = limit > rows.length ? free.length : Math.min(1, free.length)
    assert.ok(messages.length >= enough, `${messages.length} of ${free.length} were given out`)
    for (const message of messages) checkMessage(message, free)
    for (const name of new Set(messages.map((message) => message.key))) {
      if (name === undefined) continue
      const ofKey = (one: { readonly key?: string | undefined }): boolean => one.key === name
      const ids = messages.filter(ofKey).map(({ id }) => id)
      assert.deepEqual(
        ids,
        free
          .filter(ofKey)
          .map(({ id }) => id)
          .slice(0, ids.length),
      )
    }
    for (const row of rows) {
      if (!ids.includes(row.id)) continue
      Object.assign(row, { freeAt: now + leaseMs, fence, claims: row.claims + 1 })
    }
  }

  function checkMessage(message: ClaimedMessage, free: readonly Row[]): void {
    const row = free.find(({ id }) => id === message.id)
    assert.ok(row, `${message.id} can be had`)
    assert.deepEqual([message.body, message.key, message.claims], [row.id, row.key, row.claims + 1])
  }

  /** What nobody has, and what is not behind something of its key that somebody has. */
  function claimable(): Row[] {
    const held = new Set<string>()
    return rows.filter((row) => {
      if (row.freeAt > now && row.key !== undefined) held.add(row.key)
      return row.freeAt <= now && (row.key === undefined || !held.has(row.key))
    })
  }
}

function choose(ids: readonly string[], wanted: string): string[] {
  if (wanted === 'first') return ids.slice(0, 1)
  return wanted === 'rest' ? ids.slice(1) : [...ids]
}
