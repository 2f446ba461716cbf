import { expect, test } from 'vitest'
import { kafkaErrors } from './protocol/error-names.ts'
import { openReadings } from './open-readings.ts'
import { writeOffsets } from '../test/group-answers.ts'
import { scriptedCluster } from '../test/scripted-cluster.ts'

const unit = { name: 'slot:0', partitions: [{ topic: 'orders', partition: 0 }] }

test('errors that pass are waited out, and others are told', async () => {
  const errors: number[] = [kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS, kafkaErrors.GROUP_AUTHORIZATION_FAILED]
  const cluster = scriptedCluster({
    leaders: { orders: [1] },
    ends: [0, 5],
    answer: (_, writer) => writeOffsets(writer, [], errors.shift()),
  })
  await cluster.refresh(['orders'])
  const opened = openReadings(
    cluster,
    'orders',
    [unit],
    () => true,
    () => undefined,
  )
  await expect(opened).rejects.toMatchObject({ kafkaCode: kafkaErrors.GROUP_AUTHORIZATION_FAILED })
  expect(errors).toEqual([])
})
