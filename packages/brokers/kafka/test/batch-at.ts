import { writeBatch } from '../src/protocol/write-batch.ts'
import { Writer } from '../src/protocol/writer.ts'

/** A batch of one record, as a broker has it at an offset. */
export function batchAt(
  offset: number,
  value: string | Buffer,
  headers: Record<string, string> = {},
): Buffer {
  const writer = new Writer()
  writeBatch(writer, [{ timestamp: 0, key: undefined, value: Buffer.from(value), headers }])
  const bytes = Buffer.from(writer.bytes().subarray(4))
  bytes.writeBigInt64BE(BigInt(offset), 0)
  return bytes
}
