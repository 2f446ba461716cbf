import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Pausing } from './pausing.ts'

type Event = readonly ['paused' | 'resumed', readonly string[] | undefined]

function create(pausesWhole = false): {
  pausing: Pausing
  events: Event[]
  state: { whole: boolean; canTell: boolean }
} {
  const events: Event[] = []
  const state = { whole: false, canTell: !pausesWhole }
  const pausing = new Pausing({
    source: 'orders',
    emit: (name, event) => events.push([name, event.types]),
    pausesWhole: () => !state.canTell,
    wholePaused: (paused) => {
      expect(paused).not.toBe(state.whole)
      state.whole = paused
    },
    typesChanged: () => undefined,
  })
  return { pausing, events, state }
}

describe('Pausing', () => {
  test('counts what middleware pauses, each type once in a call', () => {
    const { pausing } = create()
    pausing.pauseCounted(['a', 'a'], 'x')
    pausing.pauseCounted(['a'], 'x')
    pausing.resumeCounted(['a', 'a'])
    expect(pausing.has('a')).toBe(true)
    pausing.resumeCounted(['a'])
    expect(pausing.has('a')).toBe(false)
    expect(pausing.any).toBe(false)
  })

  test('ignores a resume of what nobody has paused', () => {
    const { pausing, events, state } = create()
    pausing.resumeCounted(undefined)
    pausing.resumeCounted(['a'])
    pausing.resume(undefined)
    pausing.pauseCounted(undefined, 'x')
    expect(state.whole).toBe(true)
    expect(events).toEqual([['paused', undefined]])
  })

  test('pauses all for types that cannot be told apart any more, and single ones when they can again', () => {
    const { pausing, events, state } = create()
    pausing.pause(['a'])
    state.canTell = false
    pausing.apply('another broker')
    expect([state.whole, pausing.has('a')]).toEqual([true, false])
    state.canTell = true
    pausing.apply('another broker')
    expect([state.whole, pausing.has('a')]).toEqual([false, true])
    expect(events).toEqual([
      ['paused', ['a']],
      ['paused', undefined],
      ['resumed', ['a']],
      ['paused', ['a']],
      ['resumed', undefined],
    ])
  })

  test('agrees with a plain model, and tells of every change once', () => {
    const types = fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { nil: undefined })
    const step = fc.record({ do: fc.constantFrom('pause', 'resume', 'pauseCounted', 'resumeCounted'), types })
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (pausesWhole, steps) => {
        const { pausing, events, state } = create(pausesWhole)
        const holder = new Set<string>()
        const counted = new Map<string, number>()
        const told = new Set<string>()
        for (const one of steps) {
          const names = one.types ?? ['*']
          if (one.do === 'resume' && one.types === undefined) holder.clear()
          for (const name of names) {
            const count = counted.get(name) ?? 0
            if (one.do === 'pause') holder.add(name)
            if (one.do === 'resume') holder.delete(name)
            if (one.do === 'pauseCounted') counted.set(name, count + 1)
            if (one.do === 'resumeCounted') counted.set(name, Math.max(0, count - 1))
          }
          if (one.do === 'pauseCounted') pausing.pauseCounted(one.types, 'x')
          else pausing[one.do](one.types)
          const isPaused = (name: string): boolean => holder.has(name) || (counted.get(name) ?? 0) > 0
          const some = ['a', 'b', 'c'].filter(isPaused)
          expect(state.whole).toBe(isPaused('*') || (pausesWhole && some.length > 0))
          for (const name of ['a', 'b', 'c']) expect(pausing.has(name)).toBe(!pausesWhole && isPaused(name))
          for (const [name, about] of events.splice(0)) {
            for (const what of about ?? ['*']) {
              expect(told.has(what)).toBe(name === 'resumed')
              if (name === 'paused') told.add(what)
              else told.delete(what)
            }
          }
          expect(told).toEqual(new Set([...(state.whole ? ['*'] : []), ...(pausesWhole ? [] : some)]))
        }
      }),
    )
  })
})
