import { redisStore, type RedisClient } from '@posthorn/store/redis'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { openPosthorn } from './posthorn-records.ts'
import {
  batchSize,
  claimed,
  inParts,
  readCommands,
  type RecordClient,
  type RecordClientName,
} from './record-client.ts'

const { owner, leaseMs, retentionMs, payloadHash } = claimed

export async function openRedis(url: string, name: RecordClientName): Promise<RecordClient> {
  // What is asked for in one turn goes out in one write: the quickest that ioredis can.
  const redis = new Redis(url, { enableAutoPipelining: name !== 'posthorn' })
  const ends = {
    clear: async () => void (await redis.flushall()),
    close: async () => redis.disconnect(),
  }
  if (name === 'posthorn') return openPosthorn(redisStore(redis), ends)
  if (name === 'shortest') {
    return {
      ...ends,
      run: async (records) =>
        inParts(records, 1, async ([key = '']) => {
          const answer = await redis.set(key, owner, 'PX', leaseMs, 'NX')
          if (answer !== 'OK') throw new Error(`${key} was claimed before`)
          await redis.set(key, 'done', 'PX', retentionMs, 'XX')
        }),
    }
  }
  let last = ''
  const spy: RedisClient = {
    evalsha(sha, ...given) {
      last = sha
      return redis.evalsha(sha, ...given)
    },
    eval: (...given) => redis.eval(...given),
  }
  // The server has the scripts from then on.
  const { claim, complete } = await readCommands(redisStore(spy), () => last)
  return {
    ...ends,
    run: async (records) =>
      inParts(records, name === 'batches' ? batchSize : 1, async (keys) => {
        const claims = keys.flatMap((key) => [key, owner, leaseMs, payloadHash])
        const answers = (await redis.evalsha(claim, 1, counter, randomUUID(), ...claims)) as string[][]
        const completions = keys.flatMap((key, index) => [key, answers[index]?.[1] ?? '', retentionMs, ''])
        const completed = (await redis.evalsha(complete, 1, counter, ...completions)) as number[]
        if (completed.includes(0)) throw new Error(`${keys[0]} was lost`)
      }),
  }
}

const counter = '{posthorn}:counter'
