import { isIP } from 'node:net'
import { AccessRefused, type KafkaClient, type KafkaWire, type NodeAddress } from './kafka-client.ts'
import type {
  PlatformaticConnection,
  PlatformaticError,
  PlatformaticKafka,
  PlatformaticOptions,
  PlatformaticWriter,
} from './platformatic-kafka.ts'

/** It never gives up a request, and lets none wait: both are decided above. */
const unlimited = { requestTimeout: 2_147_483_647, maxInflights: 1_000_000 }

/** The connections of @platformatic/kafka, TLS and SASL, and nothing else of it. */
export function platformaticClient(
  library: PlatformaticKafka,
  brokers: readonly NodeAddress[],
  options: PlatformaticOptions,
): KafkaClient<undefined> {
  const needsName = options.tls !== undefined && options.tls.servername === undefined
  return {
    native: undefined,
    bootstrap: () => Promise.resolve(brokers),
    async connect({ host, port }, signal) {
      const connection = new library.Connection('posthorn', {
        ...options,
        ...unlimited,
        tlsServerName: needsName && isIP(host) === 0,
      })
      // It would be thrown where nobody listens; whoever waits for an answer is told anyway.
      connection.on('error', () => undefined)
      try {
        await new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
          signal.throwIfAborted()
          connection.connect(host, port, (error) => {
            if (error) reject(error)
            else resolve()
          })
        })
        return new PlatformaticWire(library, connection)
      } catch (error) {
        giveUp(connection)
        throw readProblem(error)
      }
    },
  }
}

function ended(): Error {
  return new Error('the connection ended')
}

function giveUp(connection: PlatformaticConnection): void {
  // Ends its timers.
  connection.close(() => undefined)
  // Not there before it has begun to connect.
  ;(connection.socket as PlatformaticConnection['socket'] | undefined)?.destroy()
}

/** It says what went wrong as a cause of a cause, or in an answer of the node. */
function readProblem(error: unknown): unknown {
  const chain: PlatformaticError[] = []
  for (let next = error; next instanceof Error && chain.length < 10; next = next.cause) chain.push(next)
  const last = chain.at(-1)
  const refusal = chain.findIndex(({ code }) => code === 'PLT_KFK_AUTHENTICATION')
  // The socket may have ended as well before there was an answer.
  const isRefusal = refusal >= 0 && !chain.slice(refusal).some(({ code }) => isOfNetwork.has(code))
  if (!isRefusal) return last ?? error
  const said = last?.errors?.[0]
  return new AccessRefused(said?.serverErrorMessage ?? said?.message ?? last?.message, { cause: error })
}

const isOfNetwork: ReadonlySet<unknown> = new Set(['PLT_KFK_NETWORK', 'PLT_KFK_TIMEOUT'])

class PlatformaticWire implements KafkaWire {
  private readonly library: PlatformaticKafka
  private readonly connection: PlatformaticConnection
  private isOver = false
  private problem: Error | undefined
  private renewal: Promise<void> | undefined

  constructor(library: PlatformaticKafka, connection: PlatformaticConnection) {
    this.library = library
    this.connection = connection
    connection.on('error', (error) => {
      this.problem = error
    })
    this.onEnd(() => this.close())
  }

  get isOpen(): boolean {
    return !this.isOver && !this.connection.socket.destroyed
  }

  onEnd(listener: () => void): void {
    const { socket } = this.connection
    if (socket.destroyed) listener()
    else socket.once('close', listener)
  }

  async request(api: number, version: number, body: Uint8Array): Promise<Buffer> {
    // A node takes nothing else while it is logged in to anew.
    while (this.isOpen && this.connection.status === 'reauthenticating') await this.nextStatus()
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(readProblem(this.problem ?? ended()))
      this.connection.send(
        api,
        version,
        () => this.write(body) as never,
        (_correlationId, _api, _version, reader) => reader.buffer.buffer,
        false,
        false,
        (error, answer) => {
          if (answer === undefined) reject(readProblem(this.problem ?? error ?? ended()))
          else resolve(answer)
        },
      )
    })
  }

  close(): void {
    this.isOver = true
    giveUp(this.connection)
  }

  private write(body: Uint8Array): PlatformaticWriter {
    return this.library.Writer.create().append(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  }

  /** One for all requests that wait, so that they leave no listeners behind. */
  private nextStatus(): Promise<void> {
    this.renewal ??= new Promise((resolve) => {
      const { socket } = this.connection
      const done = (): void => {
        this.connection.off('connect', done)
        socket.off('close', done)
        this.renewal = undefined
        resolve()
      }
      this.connection.once('connect', done)
      socket.once('close', done)
    })
    return this.renewal
  }
}
