import { expectUp, patience } from '@posthorn/test-faults'
import { describe, expect, test, vi } from 'vitest'
import { version, withRabbitmq } from '../with-rabbitmq.ts'

describe(`RabbitMQ ${version}, short of a resource`, () => {
  const bench = withRabbitmq()

  test.each([
    ['memory', ['set_vm_memory_high_watermark', '0.00001'], ['set_vm_memory_high_watermark', '0.6']],
    ['disk', ['set_disk_free_limit', '1000000000000000'], ['set_disk_free_limit', '1000000']],
  ])(
    'of %s: it blocks sends and nothing else, and they go on after it',
    { timeout: 90_000 },
    async (_, raise, lift) => {
      const queue = bench.name('orders')
      const transport = await bench.open()
      await transport.sendMany(
        queue,
        Array.from({ length: 50 }, (__, index) => ({ data: index })),
      )
      await bench.server.ctl(...raise)
      try {
        const late = transport.send(queue, { data: 'too late' }, { timeoutMs: 1_000 })
        const sending = transport.send(queue, { data: 'sent' })
        await vi.waitFor(() => expect(transport.health().state).toBe('blocked'), patience)
        await expect(late).rejects.toMatchObject({ code: 'POSTHORN_TIMEOUT' })
        const seen: unknown[] = []
        await transport.consume(queue, ({ data }) => void seen.push(data))
        await vi.waitFor(() => expect(seen).toHaveLength(50), patience)
        await vi.waitFor(
          async () => expect(await transport.depth(queue)).toMatchObject({ ready: 0 }),
          patience,
        )
        await bench.server.ctl(...lift)
        await sending
        await vi.waitFor(() => expect(seen).toContain('sent'), patience)
      } finally {
        await bench.server.ctl(...lift)
      }
      await expectUp(transport)
    },
  )
})
