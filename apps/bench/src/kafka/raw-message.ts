import { randomUUID } from 'node:crypto'
import { body } from '../flow.ts'
import { inFlight, keyOf } from './bench-client.ts'

export interface RawMessage {
  readonly key: string | undefined
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** With the headers that Posthorn's have: those of CloudEvents. */
export function rawMessage(topic: string, key: string | undefined): RawMessage {
  return {
    key,
    value: JSON.stringify(body),
    headers: {
      ce_specversion: '1.0',
      ce_id: randomUUID(),
      ce_source: topic,
      ce_type: topic,
      ce_time: new Date().toISOString(),
      'content-type': 'application/json',
    },
  }
}

/** Sends so many in batches, one after the other: with one in flight and a thousand in each, a thousand are unconfirmed. */
export async function inBatches(
  topic: string,
  messages: number,
  keys: number | undefined,
  send: (batch: RawMessage[]) => Promise<unknown>,
): Promise<void> {
  for (let sent = 0; sent < messages; sent += inFlight) {
    const length = Math.min(inFlight, messages - sent)
    await send(Array.from({ length }, (_, index) => rawMessage(topic, keyOf(sent + index, keys))))
  }
}
