import { connect as connectPlain } from 'node:net'
import { unescape } from 'node:querystring'
import { connect as connectTls } from 'node:tls'
import type { BrokerUrl } from './broker-url.ts'
import type { RabbitmqSettings } from './options.ts'
import type { Clock } from '@posthorn/transport/driver'

/** What a server says when it closes a connection. */
export interface Refusal {
  /** Of AMQP, such as 530. */
  readonly code: number
  readonly text: string
}

/** How long the answer may take. Milliseconds. */
const patienceMs = 5_000

// Methods of the class "connection".
const start = 10
const startOk = 11
const tune = 30
const tuneOk = 31
const open = 40
const close = 50

const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')
const noTable = Buffer.alloc(4)

/**
 * Why a server does not open the virtual host of the URL. amqplib drops its words at this step of connecting, so they are
 * asked for again, by hand. `undefined` when it opens now, or nobody answers. Never rejects.
 */
export function askRefusal(
  node: BrokerUrl['connect'],
  { tls, auth }: Pick<RabbitmqSettings, 'tls' | 'auth'>,
  clock: Clock,
): Promise<Refusal | undefined> {
  const { hostname: host = '', port = 0, username = '', password = '', vhost = '' } = node
  const login = auth === 'external' ? ['EXTERNAL', ''] : ['PLAIN', `\0${username}\0${password}`]
  return new Promise((resolve) => {
    const isTls = node.protocol === 'amqps'
    const socket = isTls ? connectTls({ ...tls, host, port }) : connectPlain({ host, port })
    const finish = (refusal?: Refusal): void => {
      cancel()
      socket.destroy()
      resolve(refusal)
    }
    const cancel = clock.setTimer(finish, patienceMs)
    socket.on('error', () => finish())
    socket.on('close', () => finish())
    socket.on(isTls ? 'secureConnect' : 'connect', () => socket.write(protocolHeader))
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      for (let frame = readFrame(received); frame !== undefined; frame = readFrame(received)) {
        received = frame.rest
        if (frame.method === start) {
          const [mechanism = '', response = ''] = login
          socket.write(method(startOk, noTable, shortText(mechanism), longText(response), shortText('en_US')))
        } else if (frame.method === tune) {
          // As the server proposes.
          socket.write(method(tuneOk, frame.fields))
          socket.write(method(open, shortText(unescape(vhost)), Buffer.alloc(2)))
        } else return finish(frame.method === close ? readClose(frame.fields) : undefined)
      }
    })
  })
}

function readFrame(
  bytes: Buffer,
): { readonly method: number; readonly fields: Buffer; readonly rest: Buffer } | undefined {
  const end = bytes.length < 7 ? Infinity : 8 + bytes.readUInt32BE(3)
  if (end > bytes.length || end < 12) return undefined
  return { method: bytes.readUInt16BE(9), fields: bytes.subarray(11, end - 1), rest: bytes.subarray(end) }
}

function readClose(fields: Buffer): Refusal {
  return { code: fields.readUInt16BE(0), text: fields.toString('utf8', 3, 3 + fields.readUInt8(2)) }
}

function method(id: number, ...fields: readonly Buffer[]): Buffer {
  const payload = Buffer.concat([Buffer.from([0, 10, 0, id]), ...fields])
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(payload.length, 3)
  return Buffer.concat([header, payload, Buffer.from([0xce])])
}

function shortText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function longText(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
