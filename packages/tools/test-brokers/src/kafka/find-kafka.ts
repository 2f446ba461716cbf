import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installWithApt } from '../install/apt.ts'
import { buildFolder } from '../install/build-folder.ts'
import { cacheFolder } from '../install/cache-folder.ts'
import { ServerUnavailable } from '../install/server-unavailable.ts'
import { lastLines, runProgram } from '../process/run-program.ts'

/** Each series by the release of it that is used. */
const releases = { '3.9': '3.9.1', '4.0': '4.0.2', '4.1': '4.1.2', '4.3': '4.3.1' } as const

export type KafkaVersion = keyof typeof releases

export interface KafkaInstallation {
  /** `4.3.1`. */
  readonly version: string
  /** For Java: every jar of the broker. */
  readonly classPath: string
}

/** Fetches a Kafka from Maven Central into the cache, once. Rejects with `ServerUnavailable` where that cannot be. */
export async function findKafka(series: KafkaVersion, variable: string): Promise<KafkaInstallation> {
  const version = releases[series]
  const unavailable = (reason: string): ServerUnavailable =>
    new ServerUnavailable(`Kafka ${series}`, [`${variable} is not set`, reason])
  const missing =
    (await install('java', '-version', 'openjdk-17-jre-headless')) ?? (await install('mvn', '-v', 'maven'))
  if (missing !== undefined) throw unavailable(missing)

  const folder = join(cacheFolder(), `kafka-${version}`)
  await buildFolder(folder, async (partial) => {
    await mkdir(partial, { recursive: true })
    await writeFile(join(partial, 'pom.xml'), pom(version))
    const goal = ['dependency:copy-dependencies', '-DoutputDirectory=libs', '-DincludeScope=runtime']
    const result = await runProgram('mvn', ['-q', '-B', ...goal], { cwd: partial, timeoutMs: 300_000 })
    if (result.code !== 0) throw unavailable(`Maven did not bring it: ${lastLines(result)}`)
    if ((await readdir(join(partial, 'libs'))).length === 0) throw unavailable('Maven brought no jars')
  })
  return { version, classPath: join(folder, 'libs', '*') }
}

/** Answers `undefined` when the program is there, otherwise why it is not. */
async function install(program: string, question: string, packageName: string): Promise<string | undefined> {
  const isThere = async (): Promise<boolean> => (await runProgram(program, [question])).code === 0
  if (await isThere()) return undefined
  const reason = await installWithApt(packageName)
  return (await isThere()) ? undefined : `there is no ${program} (${reason ?? 'apt brought none'})`
}

function pom(version: string): string {
  const dependency = (group: string, artifact: string, wanted: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${wanted}</version></dependency>`
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>kafka-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    ${dependency('org.apache.kafka', 'kafka_2.13', version)}
    ${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
  </dependencies>
</project>
`
}
