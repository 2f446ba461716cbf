import { memory } from '@posthorn/transport/memory'
import { answer, childParameters } from '../in-child.ts'
import { body } from '../flow.ts'

export interface BacklogParameters {
  readonly messages: number
}

/** Bytes that the process holds, with the backlog in it. */
export interface BacklogResult {
  readonly rss: number
  readonly bodyBytes: number
}

const { messages } = childParameters<BacklogParameters>()
const transport = await memory()
const batch = Array.from({ length: 1000 }, () => ({ data: body }))
for (let sent = 0; sent < messages; sent += batch.length) await transport.sendMany('bench', batch)
globalThis.gc?.()
const { ready } = await transport.depth('bench')
if (ready !== messages) throw new Error(`The backlog should hold ${messages} messages, and holds ${ready}.`)
const result: BacklogResult = {
  rss: process.memoryUsage().rss,
  bodyBytes: Buffer.byteLength(JSON.stringify(body)),
}
await transport.close()
answer(result)
