import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTimerHeap } from './timer-heap.ts'
import type { HeapTimer } from './timer-heap.ts'

const createTimer = (dueAt: number, order: number): HeapTimer => ({
  dueAt,
  order,
  callback: () => undefined,
  cancelled: false,
})

describe('createTimerHeap', () => {
  test('gives what is not cancelled by time, then in the order in which it was set', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ dueAt: fc.nat(20), cancel: fc.boolean() }), { maxLength: 400 }),
        (entries) => {
          const heap = createTimerHeap()
          const timers = entries.map(({ dueAt }, order) => createTimer(dueAt, order))
          timers.forEach((timer) => heap.push(timer))
          timers.forEach((timer, index) => {
            if (entries[index]!.cancel) heap.cancel(timer)
          })
          const expected = timers
            .filter((timer) => !timer.cancelled)
            .toSorted((a, b) => a.dueAt - b.dueAt || a.order - b.order)
          expect(heap.size).toBe(expected.length)

          const found: HeapTimer[] = []
          for (let next = heap.peek(); next !== undefined; next = heap.peek()) {
            found.push(next)
            heap.pop()
          }

          expect(found).toEqual(expected)
          expect(heap.size).toBe(0)
        },
      ),
    )
  })

  test('counts a timer that is cancelled twice once', () => {
    const heap = createTimerHeap()
    const timer = createTimer(1, 1)
    heap.push(timer)
    heap.push(createTimer(2, 2))

    heap.cancel(timer)
    heap.cancel(timer)

    expect(heap.size).toBe(1)
  })
})
