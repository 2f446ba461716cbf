import { PosthornError, transportRules } from '@posthorn/transport/driver'
import { optionRules } from '@posthorn/transport/options'
import { parseUrl } from './broker-url.ts'
import type { ConnectionOptions } from 'node:tls'
import type { TransportOptions } from '@posthorn/transport'

/** Certificates and keys for `amqps:`, as of `node:tls`. */
export type TlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'servername'
  | 'rejectUnauthorized'
  | 'minVersion'
  | 'ciphers'
>

export interface RabbitmqOptions extends TransportOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps:`. Either this or `urls`. */
  readonly url?: string
  /** One for each node of a cluster; each connection tries them in random order. */
  readonly urls?: readonly string[]
  /** For `amqps:` and `https:`. */
  readonly tls?: TlsOptions
  /** `external`: the client's certificate says who it is. Default `plain`: user and password of the URL. */
  readonly auth?: 'plain' | 'external'
  /** Seconds; a connection that is silent for two of them is taken for dead. The server may ask for less. Default 10. */
  readonly heartbeatS?: number
  /**
   * Milliseconds from a delivery's arrival to its settlement. Below the server's `consumer_timeout` (30 minutes unless
   * configured), past which it ends the consumer. Default 1,500,000 (25 minutes).
   */
  readonly maxHoldMs?: number
  /**
   * What the queues that are made here are. `classic`: durable and without arguments, as most tutorials declare them;
   * hand-outs are not counted, and nothing is dead-lettered by the broker itself. Default `quorum`.
   */
  readonly queueType?: 'quorum' | 'classic'
  /** Bytes of one body: the server's `max_message_size`. Default 16,777,216, which 4.x has; 3.x takes 134,217,728. */
  readonly maxBodyBytes?: number
  /**
   * Of the management API, `http://user:password@host:15672`, or `https:`; without a user, that of `url`. With it, `depth` also
   * says what is in flight and, of classic queues, the oldest age, a few seconds late.
   */
  readonly managementUrl?: string
}

export const rabbitmqDefaults = {
  auth: 'plain',
  heartbeatS: 10,
  maxHoldMs: 1_500_000,
  queueType: 'quorum',
  maxBodyBytes: 16_777_216,
} as const

const tls = optionRules.custom(
  'an object of TLS options',
  (value) => typeof value === 'object' && value !== null,
)
const url = optionRules.custom(
  'a URL such as amqp://user:password@host:5672/vhost',
  (value) => typeof value === 'string',
)

function isHttpUrl(value: unknown): boolean {
  if (typeof value !== 'string' || !URL.canParse(value)) return false
  const { protocol, username, password } = new URL(value)
  return /^https?:$/.test(protocol) && isEncoded(username) && isEncoded(password)
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Those of RabbitMQ's own. */
export const rabbitmqRules: Readonly<
  Record<Exclude<keyof RabbitmqOptions, keyof TransportOptions>, optionRules.Rule>
> = {
  url,
  urls: optionRules.list(url, { min: 1, max: 100 }),
  tls,
  auth: optionRules.oneOf('plain', 'external'),
  heartbeatS: optionRules.wholeNumber({ min: 1, max: 3_600 }),
  maxHoldMs: optionRules.duration({ min: 1_000 }),
  queueType: optionRules.oneOf('quorum', 'classic'),
  maxBodyBytes: optionRules.wholeNumber({ min: 1 }),
  managementUrl: optionRules.custom('a URL such as http://user:password@host:15672', isHttpUrl),
}

/** What a driver needs of the options. */
export interface RabbitmqSettings {
  readonly urls: readonly string[]
  readonly tls: TlsOptions | undefined
  readonly auth: 'plain' | 'external'
  readonly heartbeatS: number
  readonly maxHoldMs: number
  readonly queueType: 'quorum' | 'classic'
  readonly maxBodyBytes: number
  readonly managementUrl: string | undefined
}

/** Checks the options and parts them into the driver's and the transport's. Throws before anything is connected. */
export function readOptions(options: RabbitmqOptions): {
  readonly settings: RabbitmqSettings
  readonly transport: TransportOptions
} {
  optionRules.checkOptions('rabbitmq()', options, { ...transportRules, ...rabbitmqRules })
  const {
    url: one,
    urls: several,
    tls: tlsOptions,
    managementUrl,
    auth,
    heartbeatS,
    maxHoldMs,
    queueType,
    maxBodyBytes,
    ...transport
  } = options
  if ((one === undefined) === (several === undefined)) {
    const text = 'rabbitmq() takes either url, or urls for a cluster, such as { url: "amqp://localhost" }.'
    throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
  }
  const urls = several ?? [one ?? '']
  for (const each of urls) parseUrl(each)
  return {
    settings: {
      urls,
      tls: tlsOptions,
      auth: auth ?? rabbitmqDefaults.auth,
      heartbeatS: heartbeatS ?? rabbitmqDefaults.heartbeatS,
      maxHoldMs: maxHoldMs ?? rabbitmqDefaults.maxHoldMs,
      queueType: queueType ?? rabbitmqDefaults.queueType,
      maxBodyBytes: maxBodyBytes ?? rabbitmqDefaults.maxBodyBytes,
      managementUrl,
    },
    transport,
  }
}
