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
  if (match === null) throw invalid()
  const [, secure, name, password, brokers] = match
  return {
    brokers: brokers!.split(',').map(readBroker),
    isSecure: secure !== undefined,
    user: name === undefined ? undefined : { name: decode(name), password: decode(password ?? '') },
  }
}

function readBroker(text: string): NodeAddress {
  const match = brokerPattern.exec(text)
  const port = Number(match?.[3] ?? defaultPort)
  if (match === null || port < 1 || port > 65_535) throw invalid()
  return { host: match[1] ?? match[2]!, port }
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
