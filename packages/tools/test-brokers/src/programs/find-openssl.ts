import { installWithApt } from '../install/apt.ts'
import { orReason, ServerUnavailable } from '../install/server-unavailable.ts'
import { runProgram } from '../process/run-program.ts'

/**
 * The command `openssl`, 3.0 or later: as it is installed, else by apt for root. For tests that are skipped, with the
 * printed reason, where it cannot be had; with `CI=true` it rejects.
 */
export async function tryFindOpenssl(): ReturnType<typeof orReason<string>> {
  return orReason(findOpenssl())
}

async function findOpenssl(): Promise<string> {
  if (await isThere()) return 'openssl'
  const reason = await installWithApt('openssl')
  if (reason === undefined && (await isThere())) return 'openssl'
  throw new ServerUnavailable('openssl 3', [reason ?? 'apt installed an older one'])
}

async function isThere(): Promise<boolean> {
  const { code, stdout } = await runProgram('openssl', ['version'])
  return code === 0 && /^OpenSSL ([3-9]|\d\d)\./.test(stdout)
}
