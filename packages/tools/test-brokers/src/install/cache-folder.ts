import { homedir } from 'node:os'
import { join } from 'node:path'

const name = 'posthorn-test-brokers'

/**
 * Where downloaded servers are kept between runs, outside of the work tree: `$XDG_CACHE_HOME` when it is set, otherwise
 * `/var/cache` for root and `~/.cache` for others.
 */
export function cacheFolder(): string {
  const configured = process.env['XDG_CACHE_HOME']
  if (configured !== undefined && configured !== '') return join(configured, name)
  return process.getuid?.() === 0 ? join('/var/cache', name) : join(homedir(), '.cache', name)
}
