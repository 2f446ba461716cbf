import { readmeSnippets } from '@posthorn/test-brokers'
import { describe, expect, test } from 'vitest'
import { version, withRabbitmq } from './with-rabbitmq.ts'

describe(`the snippets of the README on RabbitMQ ${version}`, () => {
  const bench = withRabbitmq()
  const snippets = readmeSnippets(new URL('../README.md', import.meta.url))
  const run = (text: string, expected: string): ReturnType<typeof snippets.run> =>
    snippets.run(text, expected, ['amqp://localhost', bench.server.url])

  test('the first one prints what it says, and ends in order', async () => {
    const { output } = snippets
    expect(await run('out of stock', output)).toEqual({ output, code: 0 })
  })

  test('those for queues of others work on them', async () => {
    await bench.channel.assertQueue('tasks', { durable: true })
    const made = await run("queueType: 'classic' })", 'from Python')
    bench.channel.sendToQueue('tasks', Buffer.from('{"number":2}'))
    const checked = await run("name: 'tasks.dlq'", 'from Python')
    await bench.channel.assertQueue('tasks-failed', { durable: true })
    bench.channel.sendToQueue('tasks-failed', Buffer.from('{"number":3}'), { messageId: 'task-3' })
    const letters = await run('tasks-failed', 'task-3')
    expect([made, checked, letters].map(({ output }) => output)).toEqual([
      'from Python { number: 1 }\n',
      'from Python { number: 2 }\n',
      expect.stringMatching(/^task-3 unknown \d+\n$/),
    ])
  })
})
