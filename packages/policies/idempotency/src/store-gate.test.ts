import { expect, test } from 'vitest'
import { createVirtualClock } from '@posthorn/transport/testing'
import { StoreGate } from './store-gate.ts'

function open(answer: (probe: number) => Promise<number>) {
  const clock = createVirtualClock()
  const did: string[] = []
  let probes = 0
  let close: () => unknown = () => undefined
  const gate = new StoreGate(
    { now: () => answer((probes += 1)) },
    {
      clock,
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
  gate.shut()
  gate.shut()
  await clock.advance(1_600)
  expect(did).toEqual(['pause'])
  await clock.advance(20_000)
  expect([did, clock.pending]).toEqual([['pause', 'resume'], 0])
})

test('the gate probes ever more rarely, and no more when its consumer has stopped', async () => {
  const { clock, gate, did, probes, close } = open(() => Promise.reject(new Error('away')))
  gate.shut()
  await clock.advance(600_000)
  expect(probes()).toBeLessThan(50)
  close()
  expect([did, clock.pending]).toEqual([['pause'], 0])
})
