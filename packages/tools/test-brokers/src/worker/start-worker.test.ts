import { afterEach, expect, test } from 'vitest'
import { startWorker, type WorkerProcess } from './start-worker.ts'

const module = new URL('../../test/workers/effect-then-wait.ts', import.meta.url)
let worker: WorkerProcess

afterEach(async () => {
  await worker.kill()
})

test('runs a TypeScript module with parameters and talks with it', async () => {
  worker = startWorker(module, { id: 'a' })
  await expect(worker.waitFor('effect')).resolves.toEqual({ type: 'effect', id: 'a' })
  worker.tell({ type: 'go on', bytes: new Uint8Array([1, 2]) })
  await expect(worker.waitFor((message) => message.type === 'acknowledged')).resolves.toEqual({
    type: 'acknowledged',
    id: 'a',
    bytes: new Uint8Array([1, 2]),
  })
})

test('is killed between two steps', async () => {
  worker = startWorker(module, { id: 'a' })
  await worker.waitFor('effect')
  await expect(worker.kill()).resolves.toEqual({ code: null, signal: 'SIGKILL' })
  await expect(worker.waitFor('acknowledged')).rejects.toThrow('ended with SIGKILL')
})

test('answers nothing while it is frozen, and everything afterwards', async () => {
  worker = startWorker(module, { id: 'a' })
  await worker.waitFor('effect')
  worker.pause()
  worker.tell({ type: 'go on' })
  await expect(worker.waitFor('acknowledged', 50)).rejects.toThrow('did not tell "acknowledged" in 50 ms')
  worker.resume()
  await worker.waitFor('acknowledged')
})

test('is killed while it is frozen', async () => {
  worker = startWorker(module, { id: 'a' })
  worker.pause()
  await expect(worker.kill()).resolves.toEqual({ code: null, signal: 'SIGKILL' })
})

test('shows what a worker wrote that failed', async () => {
  worker = startWorker(module, { id: 'a' })
  await worker.waitFor('effect')
  worker.tell({ type: 'fail' })
  await expect(worker.waitFor('acknowledged')).rejects.toThrow(/ended with code 1[^]*told to fail/)
})
