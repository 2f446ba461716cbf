import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

let server: Server
let sessions: Session[]
let proxy: TcpProxy

/** One end of a connection, with what it has received. */
interface Session {
  readonly socket: Socket
  received: Buffer
  errorCode: string | undefined
  readonly closed: Promise<unknown>
}

function watch(socket: Socket): Session {
  const session: Session = {
    socket,
    received: Buffer.alloc(0),
    errorCode: undefined,
    closed: new Promise((resolve) => socket.on('close', resolve)),
  }
  socket.on('data', (bytes) => {
    session.received = Buffer.concat([session.received, bytes])
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    session.errorCode = error.code
  })
  return session
}

/** Both ends of a new connection through the proxy. */
async function open(): Promise<{ readonly client: Session; readonly peer: Session }> {
  const before = sessions.length
  const socket = connect({ host: '127.0.0.1', port: proxy.port })
  const client = watch(socket)
  await once(socket, 'connect')
  const peer = await vi.waitUntil(() => sessions[before])
  return { client, peer }
}

async function arrives(session: Session, text: string): Promise<void> {
  await vi.waitUntil(() => session.received.toString().endsWith(text))
}

beforeEach(async () => {
  sessions = []
  server = createServer((socket) => sessions.push(watch(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  proxy = await startTcpProxy({ target: `amqp://guest:guest@127.0.0.1:${port}/vhost?heartbeat=1` })
})

afterEach(async () => {
  await proxy.close()
  for (const { socket } of sessions) socket.destroy()
  server.close()
})

const frame = Buffer.from([1, 0, 0, 0, 0, 0, 2, 65, 66, 0xce])
const protocolHeader = Buffer.from('AMQP\0\0\x09\x01', 'latin1')

describe('startTcpProxy', () => {
  test('gives the target’s URL with its own port', () => {
    expect(proxy.url).toBe(`amqp://guest:guest@127.0.0.1:${proxy.port}/vhost?heartbeat=1`)
  })

  test('passes a megabyte in both directions, and the end of the stream', async () => {
    const { client, peer } = await open()
    peer.socket.allowHalfOpen = true
    client.socket.write(protocolHeader)
    for (let count = 0; count < 100_000; count++) client.socket.write(frame)
    client.socket.end()
    await once(peer.socket, 'end')
    expect(peer.received.equals(Buffer.concat([protocolHeader, ...Array<Buffer>(100_000).fill(frame)]))).toBe(
      true,
    )
    peer.socket.end(Buffer.concat(Array<Buffer>(100_000).fill(frame)))
    await client.closed
    expect(client.received.length).toBe(1_000_000)
  })

  test('resets clients while the server is down', async () => {
    server.close()
    const client = watch(connect({ host: '127.0.0.1', port: proxy.port }))
    await client.closed
    expect(client.errorCode).toBe('ECONNRESET')
  })

  test('counts connections', async () => {
    const { client } = await open()
    await open()
    expect(proxy.connections).toBe(2)
    client.socket.end()
    await vi.waitUntil(() => proxy.connections === 1)
    expect(proxy.accepted).toBe(2)
  })

  test('cuts all connections on both sides, and takes new ones', async () => {
    const first = await open()
    const second = await open()
    proxy.cut()
    await Promise.all([first, second].flatMap(({ client, peer }) => [client.closed, peer.closed]))
    expect(first.client.errorCode).toBeUndefined()
    const { client, peer } = await open()
    client.socket.write('again')
    await arrives(peer, 'again')
  })

  test('resets all connections on both sides', async () => {
    const { client, peer } = await open()
    proxy.reset()
    await Promise.all([client.closed, peer.closed])
    expect([client.errorCode, peer.errorCode]).toEqual(['ECONNRESET', 'ECONNRESET'])
  })

  test('lets the other direction pass through a black hole, and delivers what waited after healing', async () => {
    const { client, peer } = await open()
    proxy.blackHole('toServer')
    client.socket.write(protocolHeader)
    peer.socket.write('from the server')
    await arrives(client, 'from the server')
    expect(peer.received.length).toBe(0)
    await proxy.heal()
    await vi.waitUntil(() => peer.received.equals(protocolHeader))
  })

  test('tells nobody of a half-open connection that the other side has gone', async () => {
    const gone = await open()
    proxy.halfOpen()
    gone.client.socket.resetAndDestroy()
    await gone.client.closed
    // A connection made afterwards shows that the proxy has had its turn.
    await open()
    expect(proxy.connections).toBe(2)
    expect(gone.peer.socket.readyState).toBe('open')
    await proxy.heal()
    await gone.peer.closed
  })

  test('refuses new connections, keeps the others, and accepts again', async () => {
    const { client, peer } = await open()
    await proxy.refuse(true)
    const refused = watch(connect({ host: '127.0.0.1', port: proxy.port }))
    await refused.closed
    expect(refused.errorCode).toBe('ECONNREFUSED')
    client.socket.write(protocolHeader)
    await vi.waitUntil(() => peer.received.equals(protocolHeader))
    await proxy.refuse(false)
    await open()
  })

  test('cuts after whole frames', async () => {
    const { client, peer } = await open()
    const cut = proxy.cutAfterFrames(3, 'toServer')
    client.socket.write(Buffer.concat([protocolHeader, frame, frame]))
    await vi.waitUntil(() => peer.received.length === 28)
    expect(cut.happened).toBe(false)
    client.socket.write(Buffer.concat([frame, frame, frame]))
    await Promise.all([client.closed, peer.closed])
    expect(peer.received).toEqual(Buffer.concat([protocolHeader, frame, frame, frame]))
    await expect(cut.done).resolves.toBe(true)
  })

  test('counts frames that came before only once', async () => {
    const { client, peer } = await open()
    client.socket.write(Buffer.concat([protocolHeader, frame.subarray(0, 5)]))
    await vi.waitUntil(() => peer.received.length === 13)
    proxy.cutAfterFrames(1, 'toServer')
    client.socket.write(Buffer.concat([frame.subarray(5), frame]))
    await peer.closed
    expect(peer.received.length).toBe(18)
  })

  test('cuts within a frame, also when bytes are sliced', async () => {
    const { client, peer } = await open()
    proxy.shape('both', { slice: true })
    proxy.cutAfterBytes(13, 'toClient')
    peer.socket.write(Buffer.concat([frame, frame]))
    await Promise.all([client.closed, peer.closed])
    expect(client.received).toEqual(Buffer.concat([frame, frame]).subarray(0, 13))
  })

  test('calls off a cut that has not happened when it is healed', async () => {
    const cut = proxy.cutAfterBytes(1, 'toServer')
    await proxy.heal()
    await expect(cut.done).resolves.toBe(false)
    const { client, peer } = await open()
    client.socket.write(protocolHeader)
    await vi.waitUntil(() => peer.received.equals(protocolHeader))
  })

  test('changes frames of one direction until it is healed', async () => {
    const { client, peer } = await open()
    let count = 0
    proxy.rewrite('toServer', ({ bytes }) => (++count === 2 ? undefined : bytes))
    client.socket.write(Buffer.concat([protocolHeader, frame, frame]))
    peer.socket.write(frame)
    await vi.waitUntil(() => peer.received.length === 18 && client.received.length === 10)
    await proxy.heal()
    client.socket.write(frame)
    await vi.waitUntil(() => peer.received.length === 28)
    expect(count).toBe(3)
  })

  test('refuses to count frames of another protocol', async () => {
    const other = await startTcpProxy({ target: 'tcp://127.0.0.1:1' })
    expect(() => other.rewrite('toServer', ({ bytes }) => bytes)).toThrow(
      'Frames are only known for a target',
    )
    expect(() => other.cutAfterFrames(1, 'toServer')).toThrow('Frames are only counted for a target')
    await other.close()
  })
})
