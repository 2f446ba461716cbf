import { createServer, type IncomingMessage, type Server } from 'node:http'
import { optionRules } from '@posthorn/transport/options'
import { PosthornError, type Transport } from '@posthorn/transport'

export interface MetricsHandlerOptions {
  /** What is shown under `/metrics`: a registry of `@prometheus-io/client` or of prom-client. */
  readonly registry: { readonly contentType: string; metrics(): Promise<string> | string }
  /** Whose health is shown. */
  readonly transports?: readonly Transport[]
}

/**
 * Answers `/metrics`; `/health/live`, 200 while the process can answer at all; `/health/ready`, 200 while every transport is up
 * and 503 otherwise, with each one's state. Everything else is 404.
 */
export function createMetricsHandler(
  options: MetricsHandlerOptions,
): (request: Request) => Promise<Response> {
  optionRules.checkOptions('createMetricsHandler()', options, handlerRules)
  const { registry, transports = [] } = options
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405 })
    switch (new URL(request.url).pathname) {
      case '/metrics':
        return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } })
      case '/health/live':
        return Response.json({ status: 'live' })
      case '/health/ready': {
        const states = transports.map((transport) => {
          const { broker, state, reason } = transport.health()
          return { broker, state, reason }
        })
        const ready = states.every(({ state }) => state === 'up')
        return Response.json(
          { status: ready ? 'ready' : 'not ready', transports: states },
          { status: ready ? 200 : 503 },
        )
      }
      default:
        return new Response(null, { status: 404 })
    }
  }
}

export interface ServeOptions extends MetricsHandlerOptions {
  /** 0 is any free one. */
  readonly port: number
  /** Default `127.0.0.1`: metrics tell much about a system, so opening them to others is a decision. */
  readonly host?: string
}

export interface MetricsServer extends AsyncDisposable {
  readonly port: number
  close(): Promise<void>
}

/** Serves `createMetricsHandler`. Rejects when the port cannot be had. */
export async function serveMetrics(options: ServeOptions): Promise<MetricsServer> {
  optionRules.checkOptions('serveMetrics()', options, serveRules)
  const { registry, transports = [], port, host = '127.0.0.1' } = options
  const handle = createMetricsHandler({ registry, transports })
  const server = createServer((incoming, outgoing) => {
    const request = readRequest(incoming)
    if (request === undefined) return void outgoing.writeHead(400).end()
    void handle(request).then(
      async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        outgoing.end(await response.text())
      },
      // A registry of others failed; what it said is not for whoever asks.
      () => outgoing.writeHead(500).end(),
    )
  })
  await listen(server, port, host)
  const address = server.address()
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close,
    [Symbol.asyncDispose]: close,
  }
}

const handlerRules: Readonly<Record<keyof MetricsHandlerOptions, optionRules.Rule>> = {
  registry: optionRules.required(
    optionRules.custom(
      'a Prometheus registry',
      (value) => typeof (value as { metrics?: unknown } | null)?.metrics === 'function',
    ),
  ),
  transports: optionRules.list(optionRules.custom('a transport', (value) => typeof value === 'object')),
}

const serveRules: Readonly<Record<keyof ServeOptions, optionRules.Rule>> = {
  ...handlerRules,
  port: optionRules.required(optionRules.wholeNumber({ max: 65_535 })),
  host: optionRules.text(),
}

/** `undefined` for what no `Request` can be: the method TRACE, for one. */
function readRequest({ url = '/', method = 'GET' }: IncomingMessage): Request | undefined {
  try {
    return new Request(`http://localhost${url}`, { method })
  } catch {
    return undefined
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `The metrics cannot be served at ${host}:${port}: ${cause.message}. Choose another port, or 0 for any.`
      reject(new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options', cause }))
    })
    server.listen(port, host, () => resolve())
  })
}
