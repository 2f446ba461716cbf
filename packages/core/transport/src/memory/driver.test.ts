import { describe, expect, test } from 'vitest'
import { createDriverSide } from './driver.ts'
import { systemClock } from '../clock/system-clock.ts'
import { createLab } from '../../test/memory-driver.ts'
import type { Clock } from '../contract/clock.ts'
import type { DriverHost } from '../contract/driver.ts'

const host = (clock: Clock, signal: AbortSignal = new AbortController().signal): DriverHost => ({
  clock,
  namespace: '',
  signal,
  emit: () => {},
  lost: () => {},
  unreachable: () => {},
  blocked: () => {},
})

/** Timers that keep this process alive. */
const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

describe('connecting', () => {
  test('ends when it is given up', async () => {
    const side = createDriverSide({})
    const connecting = side.driver().connect(host(side.clock, AbortSignal.abort()))
    await expect(connecting).rejects.toMatchObject({ code: 'POSTHORN_ABORTED' })
  })

  test('keeps the process alive until the last connection is closed', async () => {
    const side = createDriverSide({})
    expect(side.clock).toBe(systemClock)
    const before = timers()
    const one = await side.driver().connect(host(side.clock))
    const two = await side.driver().connect(host(side.clock))
    expect(timers()).toBe(before + 1)
    await one.close()
    expect(timers()).toBe(before + 1)
    await two.close()
    expect(timers()).toBe(before)
  })

  test('sets no timer on a clock of a test', async () => {
    const lab = createLab()
    await lab.connect()
    expect(lab.clock.pending).toBe(0)
  })

  test('has a name and a version of the contract', () => {
    expect(createDriverSide({}).driver()).toMatchObject({ name: 'memory', specificationVersion: 'v1' })
  })
})
