import { readmeSnippets } from '@posthorn/test-brokers'
import { describe, expect, test } from 'vitest'
import { withKafka } from './with-kafka.ts'

describe('the snippets of the README', () => {
  const bench = withKafka()
  const snippets = readmeSnippets(new URL('../README.md', import.meta.url))
  const run = (text: string, expected: string): ReturnType<typeof snippets.run> =>
    snippets.run(text, expected, ['kafka://localhost:9092', bench.url])

  test('the first one prints what it says, and ends in order', async () => {
    const { output } = snippets
    expect(await run('out of stock', output)).toEqual({ output, code: 0 })
  }, 60_000)

  test('the one for a topic of others works on it', async () => {
    const admin = bench.raw.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'tasks', numPartitions: 2 }], waitForLeaders: true })
    await admin.disconnect()
    const producer = bench.raw.producer()
    await producer.connect()
    await producer.send({ topic: 'tasks', messages: [{ key: 'customer-1', value: '{"number":1}' }] })
    await producer.disconnect()
    const { output } = await run("topology: 'check'", 'from Python')
    expect(output).toMatch(/^from Python customer-1 { number: 1 }\n/)
  }, 60_000)
})
