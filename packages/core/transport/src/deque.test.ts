import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Deque } from './deque.ts'

type Step = { readonly do: 'push' | 'shift' | 'peek' | 'drain'; readonly times: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.constantFrom('push', 'push', 'shift', 'shift', 'peek', 'drain'),
    times: fc.nat({ max: 40 }),
  }),
  { maxLength: 60 },
)

test('it does what an array does', () => {
  fc.assert(
    fc.property(steps, (program) => {
      const deque = new Deque<{ readonly serial: number }>()
      const model: { readonly serial: number }[] = []
      let serial = 0
      for (const step of program) {
        for (let time = 0; time < step.times; time++) {
          const item = { serial: serial++ }
          if (step.do === 'push') {
            deque.push(item)
            model.push(item)
          } else if (step.do === 'shift') expect(deque.shift()).toBe(model.shift())
          else if (step.do === 'peek') expect(deque.peek()).toBe(model[0])
        }
        if (step.do === 'drain') expect(deque.drain()).toEqual(model.splice(0))
        expect(deque.length).toBe(model.length)
      }
      expect(deque.drain()).toEqual(model)
    }),
  )
})

test('it keeps its order while it grows past a thousand and shrinks again', () => {
  const deque = new Deque<{ readonly serial: number }>()
  for (let serial = 0; serial < 5_000; serial++) deque.push({ serial })
  const taken = Array.from({ length: 4_990 }, () => deque.shift()?.serial)
  expect(taken).toEqual(Array.from({ length: 4_990 }, (_, serial) => serial))
  deque.push({ serial: 5_000 })
  expect(deque.drain().map(({ serial }) => serial)).toEqual([
    4_990, 4_991, 4_992, 4_993, 4_994, 4_995, 4_996, 4_997, 4_998, 4_999, 5_000,
  ])
  expect(deque.shift()).toBeUndefined()
})
