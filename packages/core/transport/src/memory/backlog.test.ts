import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backlog } from './backlog.ts'
import { message } from '../../test/memory-driver.ts'
import { Entry } from './entry.ts'
import type { Line } from './line.ts'

/** A backlog asks nothing of its line. */
const line = {} as Line

interface Modelled {
  readonly id: string
  readonly priority: number
  readonly position: number
}

type Step =
  | { readonly do: 'push' | 'pushEntry'; readonly priority: number | undefined }
  | { readonly do: 'take' }
  | { readonly do: 'putBack' | 'discard'; readonly which: number }

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('push' as const),
        priority: fc.option(fc.nat(9), { nil: undefined }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('pushEntry' as const),
        priority: fc.option(fc.nat(9), { nil: undefined }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('putBack' as const), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('discard' as const), which: fc.nat() }) },
  ),
  { maxLength: 300, size: 'max' },
) satisfies fc.Arbitrary<Step[]>

const first = (model: readonly Modelled[]): Modelled | undefined =>
  model.toSorted((a, b) => b.priority - a.priority || a.position - b.position)[0]

describe('Backlog', () => {
  test('gives what is first by priority and age, whatever was taken, put back or discarded', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const backlog = new Backlog(line, true)
        let ready: Modelled[] = []
        const entries = new Map<string, Entry>()
        const taken: { readonly entry: Entry; readonly model: Modelled }[] = []
        let position = 0
        for (const step of given) {
          if (step.do === 'push' || step.do === 'pushEntry') {
            const model = { id: `m${position}`, priority: step.priority ?? 4, position: position++ }
            const added = message(model.id, { priority: step.priority })
            if (step.do === 'push') backlog.push(added)
            else entries.set(model.id, backlog.pushEntry(added, undefined, undefined))
            ready.push(model)
          } else if (step.do === 'take') {
            const wanted = first(ready)
            const entry = backlog.take()
            if (entry?.message.id !== wanted?.id)
              throw new Error(`${entry?.message.id} came, not ${wanted?.id}`)
            if (entry === undefined || wanted === undefined) continue
            ready = ready.filter((model) => model !== wanted)
            taken.push({ entry, model: wanted })
          } else if (step.do === 'putBack' && taken.length > 0) {
            const [{ entry, model }] = taken.splice(step.which % taken.length, 1) as [(typeof taken)[0]]
            const again = entry.again(entry.message, 2)
            entries.set(model.id, again)
            backlog.putBack(again)
            ready.push(model)
          } else if (step.do === 'discard') {
            const known = ready.filter((model) => entries.has(model.id))
            const model = known[step.which % known.length]
            if (model === undefined) continue
            backlog.discard(entries.get(model.id) as Entry)
            ready = ready.filter((one) => one !== model)
          }
          expect(backlog.size).toBe(ready.length)
        }
        const listed = [...backlog].map((item) => (item instanceof Entry ? item.message.id : item.id))
        expect(listed.toSorted()).toEqual(ready.map(({ id }) => id).toSorted())
        while (ready.length > 0) {
          const wanted = first(ready)
          expect(backlog.take()?.message.id).toBe(wanted?.id)
          ready = ready.filter((model) => model !== wanted)
        }
        expect(backlog.take()).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('knows whether there is something before an entry', () => {
    const backlog = new Backlog(line, true)
    for (const id of ['a', 'b', 'c']) backlog.push(message(id))
    const a = backlog.take() as Entry
    const b = backlog.take() as Entry
    expect(backlog.hasBefore(b)).toBe(false)
    backlog.putBack(a)
    expect(backlog.hasBefore(b)).toBe(true)
    expect(backlog.hasBefore(a)).toBe(false)
    backlog.discard(a)
    expect(backlog.hasBefore(b)).toBe(false)
    backlog.push(message('urgent', { priority: 9 }))
    expect(backlog.hasBefore(b)).toBe(true)
  })

  test('leaves no room behind for what was discarded in the middle', () => {
    const backlog = new Backlog(line, true)
    const kept = backlog.pushEntry(message('kept'), undefined, undefined)
    for (let index = 0; index < 10_000; index++) {
      backlog.discard(backlog.pushEntry(message(`m${index}`), undefined, undefined))
    }
    backlog.push(message('after'))
    expect(backlog.size).toBe(2)
    expect(backlog.room).toBeLessThan(200)
    expect([backlog.take(), backlog.take()?.message.id]).toEqual([kept, 'after'])
  })

  test('pays no heed to priorities where there are none', () => {
    const backlog = new Backlog(line, false)
    backlog.push(message('low', { priority: 0 }))
    backlog.push(message('high', { priority: 9 }))
    expect(backlog.take()?.message.id).toBe('low')
  })
})
