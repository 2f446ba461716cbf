import { registerInto, serveMetrics } from '@posthorn/metrics'
import type { Metrics } from '@posthorn/metrics'
import { Registry } from '@prometheus-io/client'

export interface MetricsPage {
  readonly url: string
  close(): Promise<void>
}

/** Serves what one process has counted, for Prometheus or a browser. Port 0 is any free one. */
export async function serveMetricsPage(metrics: Metrics, port: number): Promise<MetricsPage> {
  const registry = new Registry()
  registerInto(registry, metrics)
  const server = await serveMetrics({ registry, port })
  return { url: `http://127.0.0.1:${server.port}/metrics`, close: () => server.close() }
}
