import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { runProgram } from './run-program.ts'
import { startGuard } from './guard.ts'
import { startWorker } from '../worker/start-worker.ts'

interface Started {
  readonly type: 'started'
  readonly folder: string
  readonly pid: number
}

const module = new URL('../../test/workers/guarded-child.ts', import.meta.url)

/** A dead process that nobody has reaped yet does not count. */
async function isRunning(pid: number): Promise<boolean> {
  const { stdout } = await runProgram('ps', ['-o', 'stat=', '-p', String(pid)])
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

test('ends a process, even a frozen one, and removes its folder after its parent was killed', async () => {
  const worker = startWorker(module)
  const { folder, pid } = await worker.waitFor<Started>('started')
  expect(await isRunning(pid)).toBe(true)
  await worker.kill()
  await vi.waitUntil(async () => !(await isRunning(pid)) && !existsSync(folder), { timeout: 4000 })
})

test('ends no process whose command line is another one', async () => {
  const worker = startWorker(module)
  const { pid } = await worker.waitFor<Started>('started')
  const guard = startGuard()
  guard.watch(pid, 'of a process that had this number before')
  await guard.release()
  expect(await isRunning(pid)).toBe(true)
  await worker.kill()
})
