import type { Consumer } from '@posthorn/transport'
import { createWorkQueue } from '@posthorn/work-queue'
import { retryPolicy } from './retry-policy.ts'
import type { ServiceParts } from './service.ts'
import type { ImageStudio } from '../outside/image-studio.ts'
import type { MailServer } from '../outside/mail-server.ts'
import type { ReportOffice } from '../outside/report-office.ts'
import type { ShopTasks } from '../shop/messages.ts'

export interface WorkerTools {
  readonly mail: MailServer
  readonly images: ImageStudio
  readonly reports: ReportOffice
}

/** One of the workers that share all tasks. */
export function startWorker(
  { transport, metrics }: ServiceParts,
  { mail, images, reports }: WorkerTools,
): Promise<Consumer> {
  const tasks = createWorkQueue<ShopTasks>(transport, 'tasks')

  return tasks.work(
    {
      email: ({ data }, { idempotencyKey }) => mail.send({ ...data, idempotencyKey }),
      'resize-image': ({ data: { sku, width } }) => images.resize(sku, width),
      'generate-report': ({ data: { report } }) => reports.write(report),
    },
    { concurrency: 2, order: 'key', use: [metrics.use, retryPolicy] },
  )
}
