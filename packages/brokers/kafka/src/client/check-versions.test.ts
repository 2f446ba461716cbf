import { expect, test } from 'vitest'
import { Reader } from '../protocol/reader.ts'
import { Writer } from '../protocol/writer.ts'
import { apiVersions, checkVersions } from './check-versions.ts'

const all = Array.from({ length: 100 }, (_, api) => [api, [0, 20]] as const)

test('a broker that has everything is taken', () => {
  expect(() => checkVersions(new Map(all))).not.toThrow()
})

test('what is missing is named, with what the broker has instead', () => {
  const ranges = new Map<number, readonly [number, number]>(all)
  ranges.set(0, [9, 12])
  ranges.set(1, [0, 10])
  ranges.delete(21)
  const check = (): void => checkVersions(ranges)
  expect(check).toThrow(
    expect.objectContaining({ code: 'POSTHORN_UNSUPPORTED', retryable: false, phase: 'connect' }),
  )
  expect(check).toThrow('Produce 8 (it has 9 to 12), Fetch 11 (it has 0 to 10), DeleteRecords at all')
})

test('the answer is read', () => {
  const writer = new Writer()
  writer.int16(0).array([[18, 0, 4]], ([api, from, to]) => writer.int16(api!).int16(from!).int16(to!))
  expect(apiVersions.read(new Reader(Buffer.from(writer.bytes())))).toEqual(new Map([[18, [0, 4]]]))
})
