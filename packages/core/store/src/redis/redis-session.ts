import { randomUUID } from 'node:crypto'
import { fromRedis, isMissingScript } from './redis-errors.ts'
import type { RedisScript } from './scripts/script.ts'

/** What is used of a client: `Redis` and `Cluster` of ioredis have it. */
export interface RedisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>
}

/** A client, with the beginning of all keys in it. */
export class RedisSession {
  readonly #client: RedisClient
  readonly #counter: string

  constructor(client: RedisClient, prefix: string) {
    this.#client = client
    this.#counter = `{${prefix}}:counter`
  }

  /** The server has the script from its first use on, and loses it when it restarts. */
  async run(script: RedisScript, ...parameters: (string | number)[]): Promise<unknown> {
    try {
      return await this.#client.evalsha(script.sha, 1, this.#counter, ...parameters)
    } catch (error) {
      if (!isMissingScript(error)) throw fromRedis(error)
    }
    try {
      return await this.#client.eval(script.source, 1, this.#counter, ...parameters)
    } catch (error) {
      throw fromRedis(error)
    }
  }

  /** The same, for a script that knows by an id, its first argument, that it is a call which was sent twice. */
  async runOnce(script: RedisScript, ...parameters: (string | number)[]): Promise<unknown> {
    return this.run(script, randomUUID(), ...parameters)
  }
}
