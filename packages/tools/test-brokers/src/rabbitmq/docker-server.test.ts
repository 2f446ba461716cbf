import { expect, test, vi } from 'vitest'
import { describeContainer, startInDocker } from './docker-server.ts'

const ports = { port: 20_001, managementPort: 20_002 }

test.each([
  ['3.10', 'rabbitmq:3.10-management'],
  ['4.0', 'rabbitmq:4.0-management'],
  ['4.3', 'rabbitmq:4.3-management'],
  ['any', 'rabbitmq:4-management'],
] as const)('takes the image of version %s', (version, image) => {
  expect(describeContainer({ version }, '/tmp/x', ports).image).toBe(image)
})

test('publishes the management port where the plugin is wanted, and gives each container a name of its own', () => {
  const plain = describeContainer({}, '/tmp/x', ports)
  const managed = describeContainer({ plugins: ['rabbitmq_management'] }, '/tmp/x', ports)
  expect(plain.ports).toEqual({ 20_001: 5672 })
  expect(managed.ports).toEqual({ 20_001: 5672, 20_002: 15_672 })
  expect(managed.name).not.toBe(plain.name)
})

test('says why there is no server, before it makes anything', async () => {
  await expect(startInDocker({ nodes: 3 })).resolves.toEqual({ reason: 'clusters are not started in Docker' })
  vi.stubEnv('PATH', '/nowhere')
  await expect(startInDocker({})).resolves.toEqual({ reason: 'there is no docker' })
  vi.unstubAllEnvs()
})
