import { expect, test } from 'vitest'
import { inOrder } from './ownership.ts'
import type { ConsumeMessage } from 'amqplib'

/** A message that came again so often; the text is its place in the queue's order. */
function returned(text: string): ConsumeMessage {
  const [tag, count] = text.split(':').map(Number)
  const headers = count === undefined ? {} : { 'x-delivery-count': count }
  return {
    fields: { deliveryTag: tag, redelivered: count !== undefined },
    properties: { headers },
  } as ConsumeMessage
}

test.each([
  ['1:1 2:1 3:1 4 5', 'as it was held'],
  ['3:1 4:1 1:2 2:2', 'the first two were held once more, and went behind'],
  ['2:2 3:2 1:3', 'the first one three times'],
  ['4:2 5:1 1:4 2:4 3:3', 'each by an owner of another window'],
])('%s is put into its order: %s', (came) => {
  const sorted = inOrder(came.split(' ').map(returned)).map(({ fields }) => fields.deliveryTag)
  expect(sorted).toEqual(sorted.toSorted((one, other) => one - other))
})

/** The server's queue of what came back, as each owner takes from its front and gives back to its end. */
test('whatever the windows of the owners were, the next one finds the order', () => {
  const windows = [7, 1, 3, 2, 5, 1, 1, 4, 6]
  let waiting = Array.from({ length: 7 }, (_, index) => ({ place: index + 1, count: 0 }))
  for (const window of windows) {
    const held = waiting.slice(0, window).map(({ place, count }) => ({ place, count: count + 1 }))
    waiting = [...waiting.slice(window), ...held]
    const raws = waiting.map(({ place, count }) => returned(count === 0 ? `${place}` : `${place}:${count}`))
    expect(inOrder(raws).map(({ fields }) => fields.deliveryTag)).toEqual([1, 2, 3, 4, 5, 6, 7])
  }
})
