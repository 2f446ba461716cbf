// After a release: every package that was published has to say which workflow and commit it was built from.
// PUBLISHED_PACKAGES is what the release action puts out: `[{ "name": "@posthorn/transport", "version": "0.1.0" }]`.
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand } from '../run-command.ts'

const attempts = 10
const delayMs = 15_000

const published: { name: string; version: string }[] = JSON.parse(process.env['PUBLISHED_PACKAGES'] ?? '[]')
if (published.length === 0) throw new Error('PUBLISHED_PACKAGES names no package')

const missing: string[] = []
for (const { name, version } of published) {
  if (await hasProvenance(`${name}@${version}`)) console.log(`${name}@${version} has provenance`)
  else missing.push(`${name}@${version}`)
}
if (missing.length > 0) throw new Error(`Without provenance: ${missing.join(', ')}`)

/** Asks again for a while, since a registry shows a new version with some delay. */
async function hasProvenance(specifier: string): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const { stdout } = await runCommand('npm', ['view', specifier, 'dist.attestations.provenance', '--json'])
    if (stdout.includes('predicateType')) return true
    if (attempt < attempts) await sleep(delayMs)
  }
  return false
}
