import { afterEach, expect, test, vi } from 'vitest'
import { orReason, ServerUnavailable } from './server-unavailable.ts'

afterEach(() => vi.unstubAllEnvs())

const unavailable = async (): Promise<string> => {
  throw new ServerUnavailable('RabbitMQ 9', ['it is not installed', 'there is no apt-get'])
}

test('answers the server that was started', async () => {
  await expect(orReason(Promise.resolve('server'))).resolves.toEqual({ server: 'server' })
})

test('answers why there is none', async () => {
  vi.stubEnv('CI', '')
  await expect(orReason(unavailable())).resolves.toEqual({
    reason: 'RabbitMQ 9 cannot be had here: it is not installed; there is no apt-get.',
  })
})

test('rejects in CI, where nothing may be skipped', async () => {
  vi.stubEnv('CI', 'true')
  await expect(orReason(unavailable())).rejects.toThrow(ServerUnavailable)
})

test('rejects when the server is there and does not start', async () => {
  await expect(orReason(Promise.reject(new Error('it ended')))).rejects.toThrow('it ended')
})
