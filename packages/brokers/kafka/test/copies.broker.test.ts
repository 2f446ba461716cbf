import { kafka } from '@posthorn/kafka'
import { expect, test, vi } from 'vitest'
import { withKafka } from './with-kafka.ts'

const bench = withKafka()

test('a message as large as one may be is retried and dead-lettered, though its copies have more to say', async () => {
  const transport = await kafka({ url: bench.url, partitions: 1, maxBodyBytes: 1_014_000 })
  const { maxBodyBytes, maxHeaderBytes } = transport.capabilities.limits
  const reason = '€'.repeat(2_000)
  const error = Object.assign(new Error(reason), { name: reason })
  const attempts: number[] = []
  await transport.consume(
    'large',
    (_, context) => {
      attempts.push(context.attempt)
      if (context.attempt === 1) return context.retry({ delayMs: 1, error })
      return context.deadLetter({ reason, error })
    },
    { name: 'h'.repeat(200) },
  )
  await transport.send('large', {
    data: new Uint8Array(maxBodyBytes),
    headers: { filler: 'x'.repeat(maxHeaderBytes - 'filler'.length) },
  })
  const letters = transport.deadLetters('large')
  await vi.waitUntil(async () => (await letters.count()) === 1, { timeout: 20_000, interval: 50 })
  const { entries } = await letters.page()
  expect(attempts).toEqual([1, 2])
  expect(entries.map(({ body, reason: why }) => [body.length, why])).toEqual([[maxBodyBytes, reason]])
  await transport.close()
})
