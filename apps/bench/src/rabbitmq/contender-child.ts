import { answerTasks } from '../contest/answer-tasks.ts'
import type { Task } from '../contest/task.ts'
import type { BenchClient } from './bench-client.ts'

/** Loads nothing of the others' into the process. */
async function open({ client, url, queue }: Task): Promise<BenchClient> {
  if (client === 'posthorn') return (await import('./posthorn-client.ts')).openPosthorn(url)
  if (client === 'rascal') return (await import('./rascal-client.ts')).openRascal(url, queue)
  return (await import('./raw-client.ts')).openRaw(url, client === 'raw, ack each' ? 1 : 50)
}

answerTasks(open, {
  publish: { run: (client, { queue, messages }) => client.publish(queue, messages) },
  consume: {
    prepare: (client, { queue, messages }) => client.publish(queue, messages),
    run: (client, { queue, messages }) => client.consume(queue, messages),
  },
  exchange: { run: (client, { queue, messages }) => client.exchange(queue, messages) },
})
