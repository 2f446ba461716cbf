import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { findFreePorts } from '../process/find-free-ports.ts'
import { startGuard } from '../process/guard.ts'
import { runProgram } from '../process/run-program.ts'
import { startServer } from '../process/start-server.ts'
import type { TestServer } from '../process/test-server.ts'

const program = 'prometheus'

export interface PrometheusOptions {
  /** Ports of 127.0.0.1 whose `/metrics` it reads every second. */
  readonly scrapes: readonly number[]
  /** Rules, as in a file of its own; evaluated every second. Default: none. */
  readonly rules?: string
}

/**
 * Starts a Prometheus on a free port with a data folder of its own. For tests that are skipped, with the printed reason,
 * when it cannot be had; with `CI=true` it rejects.
 */
export async function tryStartPrometheus(
  options: PrometheusOptions,
): ReturnType<typeof orReason<TestServer>> {
  return orReason(startPrometheus(options))
}

/** Debian's package brings it: `promtool`, for rules and their tests. As `tryStartPrometheus`. */
export async function tryFindPromtool(): ReturnType<typeof orReason<string>> {
  return orReason(findVersion().then(() => 'promtool'))
}

async function startPrometheus({ scrapes, rules = 'groups: []' }: PrometheusOptions): Promise<TestServer> {
  const version = await findVersion()
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-prometheus-'))
  const guard = startGuard(folder)
  try {
    const [port = 0] = await findFreePorts(1)
    // JSON is YAML as well.
    const configuration = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['rules.yaml'],
      scrape_configs: [
        { job_name: 'tests', static_configs: [{ targets: scrapes.map((one) => `127.0.0.1:${one}`) }] },
      ],
    }
    await writeFile(join(folder, 'prometheus.yaml'), JSON.stringify(configuration))
    await writeFile(join(folder, 'rules.yaml'), rules)
    const url = `http://127.0.0.1:${port}`
    return await startServer({
      name: `Prometheus ${version}`,
      url,
      version,
      file: program,
      args: [
        `--config.file=${join(folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      folder,
      guard,
      isReady: async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true,
    })
  } catch (error) {
    await guard.release()
    throw error
  }
}

async function findVersion(): Promise<string> {
  const found = await readVersion()
  if (found !== undefined) return found
  const reason = await installWithApt(program, { service: program })
  const version = reason === undefined ? await readVersion() : undefined
  if (version !== undefined) return version
  throw new ServerUnavailable('Prometheus', ['it is not installed', reason ?? `apt brought no ${program}`])
}

async function readVersion(): Promise<string | undefined> {
  const { stdout, stderr } = await runProgram(program, ['--version'])
  return /version (\d\S+)/.exec(stdout + stderr)?.[1]
}
