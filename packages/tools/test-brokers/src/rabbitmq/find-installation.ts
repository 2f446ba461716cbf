import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { commandInRoot, dataFolderInRoot, debianRoot, type DebianSuite } from '../install/debian-root.ts'
import type { RabbitmqInstallation } from './installation.ts'
import type { RabbitmqVersion } from './rabbitmq-server.ts'

/** Which release of Debian has which version. */
const suites: Readonly<Record<RabbitmqVersion, DebianSuite>> = {
  '3.10': 'bookworm',
  '4.0': 'trixie',
  '4.3': 'sid',
  any: 'trixie',
}

const packageName = 'rabbitmq-server'
/** Debian's wrapper in /usr/sbin only runs as one user and with one data folder; these are the programs themselves. */
const homes = 'usr/lib/rabbitmq/lib/rabbitmq_server-*'

type Found = RabbitmqInstallation | { readonly reason: string }

export function isVersion(version: string, wanted: RabbitmqVersion): boolean {
  return wanted === 'any' || version === wanted || version.startsWith(`${wanted}.`)
}

/** RabbitMQ's programs on this machine, installed now if need be; or, one by one, why they cannot be had. */
export async function findInstallation(
  wanted: RabbitmqVersion,
): Promise<RabbitmqInstallation | { readonly reasons: readonly string[] }> {
  const reasons: string[] = []
  for (const find of [findInstalled, installFromApt, findInDebianRoot]) {
    const found = await find(wanted)
    if (!('reason' in found)) return found
    reasons.push(found.reason)
  }
  return { reasons }
}

async function findInstalled(wanted: RabbitmqVersion): Promise<Found> {
  const homesHere = [...globSync(`/${homes}`), ...homesOnPath()]
  const versions = homesHere.map(versionOf)
  const index = versions.findIndex((version) => isVersion(version, wanted))
  const home = homesHere[index]
  if (home === undefined) {
    return { reason: versions.length === 0 ? 'it is not installed' : `installed is ${versions.join(', ')}` }
  }
  return {
    version: versionOf(home),
    folderInside: (folder) => folder,
    command: (program, _folder, args) => ({
      file: program === 'epmd' ? program : join(home, 'sbin', program),
      args,
    }),
  }
}

/** Where a server was unpacked as it comes from its makers. */
function homesOnPath(): string[] {
  return (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => /rabbitmq_server-[\d.]+\/sbin\/?$/.test(folder))
    .map((folder) => join(folder, '..'))
}

async function installFromApt(wanted: RabbitmqVersion): Promise<Found> {
  if (globSync(`/${homes}`).length > 0) return { reason: 'apt would replace the installed one' }
  const versionPrefix = wanted === 'any' ? '' : `${wanted}.`
  const reason = await installWithApt(packageName, { versionPrefix, service: packageName })
  return reason === undefined ? findInstalled(wanted) : { reason }
}

async function findInDebianRoot(wanted: RabbitmqVersion): Promise<Found> {
  const root = await debianRoot(suites[wanted], packageName)
  if ('reason' in root) return root
  const home = globSync(homes, { cwd: root.folder })[0]
  if (home === undefined)
    return { reason: `there is no RabbitMQ in ${root.folder}: remove it to have it made again` }
  const version = versionOf(home)
  if (!isVersion(version, wanted))
    return { reason: `Debian ${suites[wanted]} in ${root.folder} has ${version}` }
  return {
    version,
    folderInside: () => dataFolderInRoot,
    command: (program, folder, args) =>
      commandInRoot(root.folder, folder, [
        program === 'epmd' ? program : join('/', home, 'sbin', program),
        ...args,
      ]),
  }
}

function versionOf(home: string): string {
  return basename(home).replace('rabbitmq_server-', '')
}
