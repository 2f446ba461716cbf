import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findNoDocker, runArguments, startContainer, type ContainerOptions } from './docker.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-docker-test-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const options: ContainerOptions = {
  name: 'posthorn-test',
  image: 'rabbitmq:4.0-management',
  ports: { 20_001: 5672, 20_002: 15_672 },
  mounts: { '/tmp/some/file': '/etc/file' },
}

test('publishes ports on 127.0.0.1 only, and mounts to be read only', () => {
  expect(runArguments(options).join(' ')).toBe(
    'run --detach --name posthorn-test --hostname posthorn-test --publish 127.0.0.1:20001:5672 ' +
      '--publish 127.0.0.1:20002:15672 --volume /tmp/some/file:/etc/file:ro rabbitmq:4.0-management',
  )
})

test('says that there is no docker', async () => {
  vi.stubEnv('PATH', folder)
  await expect(findNoDocker()).resolves.toBe('there is no docker')
})

describe('with a fake docker program, since no engine is needed for it,', () => {
  /** It writes down what it is asked, and answers with this script. */
  function fakeDocker(script: string): void {
    const file = join(folder, 'docker')
    writeFileSync(file, `#!/bin/sh\necho "$*" >> '${join(folder, 'asked')}'\n${script}\n`)
    chmodSync(file, 0o755)
    vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`)
  }
  const asked = (): string[] => readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')

  test('finds that its engine does not answer, and says why', async () => {
    fakeDocker('echo "Cannot connect to the Docker daemon" >&2; exit 1')
    await expect(findNoDocker()).resolves.toBe('docker does not answer: Cannot connect to the Docker daemon')
  })

  test('finds that it can be used', async () => {
    fakeDocker('echo 27.0.1')
    await expect(findNoDocker()).resolves.toBeUndefined()
  })

  test('kills, starts, freezes, asks and removes the container by its name', async () => {
    fakeDocker('if [ "$1" = exec ]; then echo answer; fi')
    const container = await startContainer(options)
    await container.kill()
    await container.start()
    container.pause()
    container.resume()
    await expect(container.execute('rabbitmqctl', 'status')).resolves.toBe('answer\n')
    await container.stop(30)
    await container.remove()

    expect(asked()).toEqual([
      runArguments(options).join(' '),
      'kill posthorn-test',
      'start posthorn-test',
      'pause posthorn-test',
      'unpause posthorn-test',
      'exec posthorn-test rabbitmqctl status',
      'stop -t 30 posthorn-test',
      'rm --force --volumes posthorn-test',
    ])
  })

  test('removes what could not be started, and says why', async () => {
    fakeDocker('if [ "$1" = run ]; then echo "port is already allocated" >&2; exit 125; fi')
    await expect(startContainer(options)).rejects.toThrow('port is already allocated')
    expect(asked().at(-1)).toBe('rm --force --volumes posthorn-test')
  })
})
