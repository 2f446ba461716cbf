import { PosthornError } from '@posthorn/transport/driver'
import type { NodeAddress } from './client/kafka-client.ts'

/** What a URL says of a cluster. */
export interface BrokerUrl {
  readonly brokers: readonly NodeAddress[]
  /** Whether it is connected to by TLS. */
  readonly isSecure: boolean
  readonly user: { readonly name: string; readonly password: string } | undefined
}

const defaultPort = 9_092

const pattern = /^kafka(s)?:\/\/(?:([^:/@]*):([^/@]*)@)?([^/@?#]+)\/?$/
const brokerPattern = /^(?:\[([\da-fA-F:]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/

/** Reads `kafka://user:password@host:9092,host:9092`, or `kafkas:`. */
export function parseUrl(url: string): BrokerUrl {
  const match = pattern.exec(url)
  const brokers = match?.[4]?.split(',').map((broker) => brokerPattern.exec(broker))
  if (match === null || brokers === undefined || brokers.some((broker) => broker === null)) {
    throw invalid()
  }
  const [, secure, name, password] = match
  return {
    brokers: brokers.map((broker) => ({
      host: broker![1] ?? broker![2]!,
      port: Number(broker![3] ?? defaultPort),
    })),
    isSecure: secure !== undefined,
    user: name === undefined ? undefined : { name: decode(name), password: decode(password ?? '') },
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid()
  }
}

/** Without the URL, which may have a password. */
function invalid(): PosthornError {
  const text =
    'The URL of Kafka cannot be read. Write it as kafka://user:password@host:9092,host:9092, percent-encoded.'
  return new PosthornError('POSTHORN_INVALID_URL', text, { phase: 'options' })
}
