import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { parseUrl } from './broker-url.ts'
import { managementRefused } from './connect-error.ts'
import type { RabbitmqSettings, TlsOptions } from './options.ts'
import type { Clock } from '@posthorn/transport/driver'

/** How long an answer may take. Milliseconds. */
const patienceMs = 2_000

/** What the management API says of a queue; it is a few seconds old. */
export interface QueueStatistics {
  readonly inFlight: number | undefined
  /** Milliseconds, rounded up to a second or so. RabbitMQ knows it of classic queues alone. */
  readonly oldestAgeMs: number | undefined
}

type Answer = { readonly status: number | undefined; readonly body: string }

/** Asks the management API. It is a help: what it does not say, or not in time, is unknown. */
export class Management {
  private readonly address: URL
  private readonly authorization: string
  private readonly tls: TlsOptions | undefined
  private readonly clock: Clock

  /** The virtual host is that of the broker's URL; so are user and password where `url` has none. */
  constructor(url: string, { urls, tls }: Pick<RabbitmqSettings, 'urls' | 'tls'>, clock: Clock) {
    const { vhost = '', username = '', password = '' } = parseUrl(urls[0] ?? '').connect
    const given = new URL(url)
    const isGiven = given.username !== ''
    const login = isGiven
      ? `${decodeURIComponent(given.username)}:${decodeURIComponent(given.password)}`
      : `${username}:${password}`
    this.authorization = `Basic ${Buffer.from(login).toString('base64')}`
    this.address = new URL(`${given.pathname.replace(/\/$/, '')}/api/queues/${vhost}`, given.origin)
    this.tls = tls
    this.clock = clock
  }

  /** Rejects with `POSTHORN_ACCESS_DENIED` when it does not let the user in. That it cannot be reached is no failure. */
  async check(): Promise<void> {
    const { status } = await this.get('?page=1&page_size=1')
    if (status === 401 || status === 403) throw managementRefused(this.address.host, status)
  }

  /** Never rejects. */
  async statistics(queue: string): Promise<QueueStatistics> {
    const { status, body } = await this.get(`/${encodeURIComponent(queue)}`)
    const found = status === 200 ? readObject(body) : {}
    const { messages_unacknowledged: inFlight, head_message_timestamp: madeAtS } = found
    return {
      inFlight: typeof inFlight === 'number' ? inFlight : undefined,
      oldestAgeMs: typeof madeAtS === 'number' ? Math.max(0, this.clock.now() - madeAtS * 1_000) : undefined,
    }
  }

  private get(path: string): Promise<Answer> {
    const isTls = this.address.protocol === 'https:'
    return new Promise((resolve) => {
      const options = { headers: { authorization: this.authorization } }
      const url = this.address.href + path
      const request = isTls ? requestTls(url, { ...this.tls, ...options }) : requestPlain(url, options)
      const finish = (answer: Answer): void => {
        cancel()
        resolve(answer)
      }
      const fail = (): void => finish({ status: undefined, body: '' })
      const cancel = this.clock.setTimer(() => request.destroy(), patienceMs)
      request.on('close', fail)
      request.on('error', fail)
      request.on('response', (response: IncomingMessage) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text: string) => (body += text))
        response.on('end', () => finish({ status: response.statusCode, body }))
        response.on('error', fail)
      })
      request.end()
    })
  }
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
