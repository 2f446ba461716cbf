import type { ClaimAnswer, ClaimRequest, Claims } from '../contract/claims.ts'
import type { RedisSession } from './redis-session.ts'
import { claimScript, completeScript, releaseScript, renewScript } from './scripts/claim-scripts.ts'
import type { RedisScript } from './scripts/script.ts'

export class RedisClaims implements Claims {
  readonly #session: RedisSession

  constructor(session: RedisSession) {
    this.#session = session
  }

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimAnswer[]> {
    const parameters = requests.flatMap(({ key, owner, leaseMs, payloadHash = '' }) => {
      return [key, owner, leaseMs, payloadHash]
    })
    const answers = (await this.#session.runOnce(claimScript, ...parameters)) as readonly string[][]
    return answers.map(toAnswer)
  }

  async renew(requests: Parameters<Claims['renew']>[0]): Promise<('renewed' | 'lost')[]> {
    const parameters = requests.flatMap(({ key, fence, leaseMs }) => [key, fence, leaseMs])
    return this.#change(renewScript, parameters, 'renewed')
  }

  async complete(requests: Parameters<Claims['complete']>[0]): Promise<('completed' | 'lost')[]> {
    const parameters = requests.flatMap(({ key, fence, retentionMs, result }) => {
      return [key, fence, retentionMs, result === undefined ? '' : `=${result}`]
    })
    return this.#change(completeScript, parameters, 'completed')
  }

  async release(requests: Parameters<Claims['release']>[0]): Promise<('released' | 'lost')[]> {
    const parameters = requests.flatMap(({ key, fence }) => [key, fence])
    return this.#change(releaseScript, parameters, 'released')
  }

  async #change<Word extends string>(
    script: RedisScript,
    parameters: readonly (string | number)[],
    changed: Word,
  ): Promise<(Word | 'lost')[]> {
    const answers = (await this.#session.run(script, ...parameters)) as readonly number[]
    return answers.map((answer) => (answer === 1 ? changed : 'lost'))
  }
}

function toAnswer([status, first, second]: readonly string[]): ClaimAnswer {
  if (status === 'claimed') return { status, fence: Number(first) }
  if (status === 'inProgress') return { status, owner: first ?? '', remainingMs: Number(second) }
  if (status === 'conflict') return { status, payloadHash: first ?? '' }
  return { status: 'done', result: first }
}
