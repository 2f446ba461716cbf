// Starts a guarded process and leaves it, and what became of them, to the guard.
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectWorker } from '../../src/index.ts'
import { Child } from '../../src/process/child.ts'
import { startGuard } from '../../src/process/guard.ts'

const worker = connectWorker()
const folder = await mkdtemp(join(tmpdir(), 'posthorn-guarded-'))
const guard = startGuard(folder)
const child = new Child({
  file: '/bin/sh',
  args: ['-c', 'while true; do sleep 1; done', folder],
  env: { PATH: process.env['PATH'] ?? '' },
  cwd: '/',
  logFile: join(folder, 'output.log'),
  guard,
  mark: folder,
})
child.pause()
await worker.tell({ type: 'started', folder, pid: child.pid })
