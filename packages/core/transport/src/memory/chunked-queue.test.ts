import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ChunkedQueue } from './chunked-queue.ts'

describe('ChunkedQueue', () => {
  test('gives items back in the order in which they came, over many chunks', () => {
    const steps = fc.array(fc.oneof(fc.nat(3_000), fc.integer({ min: -3_000, max: -1 })), { maxLength: 12 })
    fc.assert(
      fc.property(steps, (counts) => {
        const queue = new ChunkedQueue<number>()
        const model: number[] = []
        let next = 0
        for (const count of counts) {
          for (let index = 0; index < count; index++) {
            queue.push(next)
            model.push(next++)
          }
          for (let index = 0; index > count; index--) expect(queue.shift()).toBe(model.shift())
          expect(queue.length).toBe(model.length)
          expect([...queue]).toEqual(model)
        }
      }),
      { numRuns: 60 },
    )
  })
})
