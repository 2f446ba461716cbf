import { StoreError } from '@posthorn/store'
import { expect, test, vi } from 'vitest'
import { createVirtualClock } from '@posthorn/transport/testing'
import { StoreGate } from './store-gate.ts'

const away = new StoreError('POSTHORN_STORE_FAILED', 'It is away.', { retryable: true })

function open(answer: (probe: number) => Promise<number>) {
  const clock = createVirtualClock()
  const did: string[] = []
  let probes = 0
  let close: () => unknown = () => undefined
  const gate = new StoreGate(
    { now: () => answer((probes += 1)) },
    {
      clock,
      source: 'orders',
      emit: (name) => void did.push(name),
      pause: () => did.push('pause'),
      resume: () => did.push('resume'),
      onClose: (callback) => (close = callback),
    },
  )
  return { clock, gate, did, probes: () => probes, close: () => close() }
}

test('the gate opens at the first answer, though earlier probes are never answered', async () => {
  const { clock, gate, did } = open((probe) =>
    probe < 3 ? new Promise(() => undefined) : Promise.resolve(1),
  )
  gate.shut(away)
  gate.shut(away)
  await clock.advance(1_600)
  expect(did).toEqual(['callbackFailed', 'pause'])
  await clock.advance(20_000)
  expect([did, clock.pending]).toEqual([['callbackFailed', 'pause', 'resume'], 0])
})

test('the gate probes ever more rarely, and no more when its consumer has stopped', async () => {
  const { clock, gate, did, probes, close } = open(() => Promise.reject(new Error('away')))
  gate.shut(away)
  await clock.advance(600_000)
  expect(probes()).toBeLessThan(50)
  close()
  expect([did, clock.pending]).toEqual([['callbackFailed', 'pause'], 0])
})

test('the gate warns the process, once, of what waiting does not end', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
  const { clock, gate, did } = open(() => Promise.resolve(1))
  const missing = new StoreError('POSTHORN_STORE_NOT_MIGRATED', 'Call migrate() once.')
  for (const error of [away, missing, missing]) {
    gate.shut(error)
    await clock.advance(1_000)
  }
  expect(did.filter((one) => one === 'callbackFailed')).toHaveLength(3)
  expect(warned.mock.calls).toEqual([[missing]])
  warned.mockRestore()
})
