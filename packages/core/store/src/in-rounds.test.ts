import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inRounds } from './in-rounds.ts'

test('answers each item in its place, no key twice in a round, and those of a key in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 }), async (keys) => {
      const items = keys.map((key, place) => ({ key, place }))
      const ran: (typeof items)[number][] = []
      const answers = await inRounds(
        items,
        ({ key }) => key,
        async (round) => {
          expect(new Set(round.map(({ key }) => key)).size).toBe(round.length)
          ran.push(...round)
          return round.map(({ place }) => place)
        },
      )
      expect(answers).toEqual(items.map(({ place }) => place))
      for (const key of new Set(keys)) {
        const places = ran.filter((item) => item.key === key).map(({ place }) => place)
        expect(places).toEqual(places.toSorted((a, b) => a - b))
      }
    }),
  )
})
