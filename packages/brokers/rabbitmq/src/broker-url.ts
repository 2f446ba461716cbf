import { PosthornError } from '@posthorn/transport/driver'
import type { Options } from 'amqplib'

/** A node as amqplib takes it, and what may be shown of it. */
export interface BrokerUrl {
  readonly connect: Options.Connect
  /** Host and port, without credentials. */
  readonly address: string
}

/** Throws `POSTHORN_INVALID_URL`, never showing user or password. */
export function parseUrl(text: string): BrokerUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const protocol = url?.protocol
  if (url === undefined || (protocol !== 'amqp:' && protocol !== 'amqps:')) {
    const shown = url === undefined ? 'cannot be read' : `starts with ${url.protocol}`
    const message = `A URL of RabbitMQ is amqp://user:password@host:5672/vhost or amqps://…; this one ${shown}.`
    throw new PosthornError('POSTHORN_INVALID_URL', message, { phase: 'options' })
  }
  const port = url.port === '' ? (protocol === 'amqp:' ? 5_672 : 5_671) : Number(url.port)
  const hostname = url.hostname === '' ? 'localhost' : url.hostname.replace(/^\[|\]$/g, '')
  return {
    address: `${hostname}:${port}`,
    connect: {
      protocol: protocol.slice(0, -1),
      hostname,
      port,
      username: url.username === '' ? 'guest' : decode(url.username, 'user'),
      password: url.username === '' && url.password === '' ? 'guest' : decode(url.password, 'password'),
      // amqplib decodes it.
      vhost: url.pathname.length > 1 ? url.pathname.slice(1) : '%2F',
    },
  }
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    const message = `The ${what} in a URL of RabbitMQ has a "%" that is no part of a percent-encoded character; write it as %25.`
    throw new PosthornError('POSTHORN_INVALID_URL', message, { phase: 'options' })
  }
}
