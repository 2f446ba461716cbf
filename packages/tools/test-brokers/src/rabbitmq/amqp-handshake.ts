import { connect } from 'node:net'

const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')
const patienceMs = 5_000

/**
 * Says hello to an AMQP 0-9-1 server and reads the version from its answer; the server has then started completely.
 * `undefined` when nobody answers.
 */
export async function readAmqpVersion(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    let received = ''
    socket.setTimeout(patienceMs, () => socket.destroy())
    socket.on('connect', () => socket.write(protocolHeader))
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      const version = findVersion(received)
      if (version === undefined) return
      resolve(version)
      socket.destroy()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(undefined))
  })
}

/** A field table's entry: short string `version`, type `S`, four bytes of length, text. */
function findVersion(received: string): string | undefined {
  const name = '\x07versionS'
  const start = received.indexOf(name) + name.length
  if (start < name.length || received.length < start + 4) return undefined
  const length = Buffer.from(received.slice(start, start + 4), 'latin1').readUInt32BE()
  const version = received.slice(start + 4, start + 4 + length)
  return version.length === length ? version : undefined
}
