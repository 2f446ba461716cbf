import { describe, expect, test } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../testing.ts'
import { StallWatch } from './stall-watch.ts'

function create(): {
  clock: VirtualClock
  watch: StallWatch
  stalls: [number, number][]
  state: { since: number | undefined; deliveredAt: number; ready: number }
} {
  const clock = createVirtualClock({ startAt: 0 })
  const stalls: [number, number][] = []
  const state = { since: 0 as number | undefined, deliveredAt: 0, ready: 3 }
  const watch = new StallWatch({
    clock,
    stallMs: 4_000,
    deliveredAt: () => state.deliveredAt,
    hungrySince: () => state.since,
    ready: async () => state.ready,
    stalled: (_, ready) => stalls.push([clock.now(), ready]),
  })
  watch.start()
  return { clock, watch, stalls, state }
}

describe('StallWatch', () => {
  test('tells of a stall when nothing has come for its patience, and doubles it each time', async () => {
    const { clock, stalls } = create()
    await clock.advance(60_000)
    expect(stalls).toEqual([
      [5_000, 3],
      [15_000, 3],
      [35_000, 3],
    ])
  })

  test('is as patient as at first once something has come', async () => {
    const { clock, stalls, state } = create()
    await clock.advance(15_000)
    state.deliveredAt = 16_000
    state.since = 16_000
    await clock.advance(15_000)
    expect(stalls).toHaveLength(3)
    expect((stalls[2]?.[0] ?? 0) - 16_000).toBeLessThanOrEqual(12_000)
  })

  test('sees no stall in an empty source, nor where nothing need come', async () => {
    const { clock, stalls, state } = create()
    state.ready = 0
    await clock.advance(30_000)
    state.ready = 3
    state.since = undefined
    await clock.advance(30_000)
    expect(stalls).toEqual([])
  })

  test('sees no stall in deliveries between which it happens to look', async () => {
    const { clock, stalls, state } = create()
    for (let now = 0; now < 120_000; now += 500) {
      state.since = now
      state.deliveredAt = now
      await clock.advanceTo(now + 500)
    }
    expect(stalls).toEqual([])
  })

  test('sees no stall when something came while the broker was asked', async () => {
    const { clock, state } = create()
    const stalls: number[] = []
    const watch = new StallWatch({
      clock,
      stallMs: 4_000,
      deliveredAt: () => state.deliveredAt,
      hungrySince: () => state.since,
      ready: async () => {
        state.since = clock.now()
        return 3
      },
      stalled: () => stalls.push(clock.now()),
    })
    watch.start()
    await clock.advance(60_000)
    expect(stalls).toEqual([])
    watch.stop()
  })

  test('stops', async () => {
    const { clock, watch, stalls } = create()
    watch.stop()
    watch.start()
    await clock.advance(60_000)
    expect([stalls, clock.pending]).toEqual([[], 0])
  })
})
