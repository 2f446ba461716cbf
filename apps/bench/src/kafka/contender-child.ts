import { answerTasks } from '../contest/answer-tasks.ts'
import type { Task } from '../contest/task.ts'
import { partitionsOf, type BenchClient } from './bench-client.ts'

/** So many keys are in turn, which is plenty for handlers in parallel. */
const keys = 1000

/** Loads nothing of the others' into the process. */
async function open(task: Task): Promise<BenchClient> {
  const { client, url } = task
  const brokers = new URL(url).host.split(',')
  if (client.startsWith('posthorn')) {
    const below = client === 'posthorn' ? {} : { client: await import('@platformatic/kafka') }
    return (await import('./posthorn-client.ts')).openPosthorn({
      url,
      partitions: partitionsOf(task.kind),
      ...below,
    })
  }
  if (client === 'platformatic') return (await import('./platformatic-client.ts')).openPlatformatic(brokers)
  return (await import('./kafkajs-client.ts')).openKafkajs(brokers, client === 'kafkajs, eachBatch')
}

answerTasks(open, {
  publish: {
    async prepare(client, task) {
      await client.declare(task.queue)
      await client.publish(task.queue, 1000)
    },
    run: (client, { queue, messages }) => client.publish(queue, messages),
  },
  consume: {
    async prepare(client, task) {
      await client.declare(task.queue)
      await client.publish(task.queue, task.messages)
    },
    run: (client, { queue, messages }, begins) => client.consume(queue, messages, begins),
  },
  handle: {
    async prepare(client, task) {
      await client.declare(task.queue)
      await client.publish(task.queue, task.messages, keys)
    },
    run: (client, { queue, messages }, begins) => client.handle(queue, messages, begins),
  },
  exchange: {
    prepare: (client, task) => client.declare(task.queue),
    run: (client, { queue, messages }) => client.exchange(queue, messages),
  },
})
