import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Heap } from './heap.ts'

const ascending = (a: number, b: number): boolean => a < b
const sorted = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b)

function popAll(heap: Heap<number>): number[] {
  const all: number[] = []
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) all.push(item)
  return all
}

describe('Heap', () => {
  test('gives items in order, whatever the order in which they came', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>(ascending)
        for (const number of numbers) heap.push(number)
        expect(sorted(heap.values())).toEqual(sorted(numbers))
        expect(popAll(heap)).toEqual(sorted(numbers))
      }),
    )
  })

  test('shows first what it gives next', () => {
    const heap = new Heap<number>(ascending)
    for (const number of [3, 1, 2]) heap.push(number)
    expect([heap.peek(), heap.pop(), heap.peek(), heap.pop(), heap.peek(), heap.pop(), heap.peek()]).toEqual([
      1,
      1,
      2,
      2,
      3,
      3,
      undefined,
    ])
  })

  test('keeps only what a filter wants, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (numbers) => {
        const heap = new Heap<number>(ascending)
        for (const number of numbers) heap.push(number)
        heap.filter((number) => number % 2 === 0)
        expect(popAll(heap)).toEqual(sorted(numbers.filter((number) => number % 2 === 0)))
      }),
    )
  })
})
