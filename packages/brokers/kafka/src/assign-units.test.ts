import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignUnits, type Owner } from './assign-units.ts'

const slots = (count: number): string[] => Array.from({ length: count }, (_, index) => `slot:${index}`)

/** Assigns until nobody has to give anything up any more, as members do by joining again. */
function settle(units: readonly string[], members: readonly Owner[]): ReadonlyMap<string, readonly string[]> {
  let current = members
  for (let round = 0; round < 3; round++) {
    const result = assignUnits(units, current)
    current = members.map(({ memberId }) => ({ memberId, owned: result.get(memberId) ?? [] }))
  }
  return new Map(current.map(({ memberId, owned }) => [memberId, owned]))
}

const groups = fc.record({
  count: fc.integer({ min: 0, max: 20 }),
  owners: fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 20, maxLength: 20 }),
  members: fc.integer({ min: 1, max: 5 }),
})

test('every unit comes to one member, and all have the same number but for one', () => {
  fc.assert(
    fc.property(groups, ({ count, owners, members }) => {
      const units = slots(count)
      const all = Array.from({ length: members }, (_, index) => ({
        memberId: `m${index}`,
        owned: units.filter((_unit, at) => owners[at] === index),
      }))
      const result = settle(units, all)
      expect([...result.values()].flat().toSorted()).toEqual(units.toSorted())
      const sizes = [...result.values()].map((own) => own.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }),
  )
})

test('no unit is given to a second member while the first still has it', () => {
  fc.assert(
    fc.property(groups, ({ count, owners, members }) => {
      const units = slots(count)
      const all = Array.from({ length: members }, (_, index) => ({
        memberId: `m${index}`,
        owned: units.filter((_unit, at) => owners[at] === index),
      }))
      for (const [memberId, own] of assignUnits(units, all)) {
        for (const other of all) {
          if (other.memberId !== memberId)
            expect(other.owned.filter((unit) => own.includes(unit))).toEqual([])
        }
      }
    }),
  )
})

test('a member that joins takes only what the others have too much of', () => {
  const before = [
    { memberId: 'a', owned: ['slot:0', 'slot:1', 'slot:2', 'slot:3'] },
    { memberId: 'b', owned: [] },
  ]
  const first = assignUnits(slots(4), before)
  expect(first.get('a')).toEqual(['slot:0', 'slot:1'])
  expect(first.get('b')).toEqual([])
})

test('the only unit stays with who has it', () => {
  const members = [
    { memberId: 'z', owned: ['pass:0'] },
    { memberId: 'a', owned: [] },
  ]
  expect(assignUnits(['pass:0'], members).get('z')).toEqual(['pass:0'])
})
