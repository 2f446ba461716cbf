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
    // Each is ended as soon as it has said so, maybe before its ack: then the next has the message as well.
    const made = await run("queueType: 'classic' })", 'from Python { number: 1 }')
    bench.channel.sendToQueue('tasks', Buffer.from('{"number":2}'))
    const checked = await run("name: 'tasks.dlq'", 'from Python { number: 2 }')
    await bench.channel.assertQueue('tasks-failed', { durable: true })
    bench.channel.sendToQueue('tasks-failed', Buffer.from('{"number":3}'), { messageId: 'task-3' })
    const letters = await run('tasks-failed', 'task-3')
    expect(made.output).toContain('from Python { number: 1 }\n')
    expect(checked.output).toContain('from Python { number: 2 }\n')
    expect(letters.output).toMatch(/^task-3 unknown \d+\n/)
  })
})
