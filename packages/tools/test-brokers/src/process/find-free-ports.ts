import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which systems give ports to outgoing connections: a port of ours that is free while its
// server is down stays free, and nobody who reconnects to it can by chance be connected to himself.
const lowest = 20_000
const highest = 32_000
const maxTries = 200

/** Distinct ports that nobody listens on at the moment, on 127.0.0.1 or on all addresses. */
export async function findFreePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let tries = 0; found.size < count; tries++) {
    if (tries === maxTries)
      throw new Error(`No ${count} free ports between ${lowest} and ${highest} in ${maxTries} tries`)
    const port = randomInt(lowest, highest)
    if (!found.has(port) && (await isFree(port, '0.0.0.0')) && (await isFree(port, '127.0.0.1')))
      found.add(port)
  }
  return [...found]
}

async function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
