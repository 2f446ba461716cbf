import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { goalLine, isReached } from './goal.ts'
import { kafkaScenario } from './kafka/kafka.ts'
import { memoryScenario } from './memory/memory.ts'
import { middlewareScenario } from './middleware/middleware.ts'
import { rabbitmqScenario } from './rabbitmq/rabbitmq.ts'
import { table } from './table.ts'

const scenarios = [memoryScenario, middlewareScenario, rabbitmqScenario, kafkaScenario]

const usage = `npm run bench -- <scenario> [--quick | --full] [--only PART] [--json FILE]

${scenarios.map(({ name, description }) => `  ${name.padEnd(12)} ${description}`).join('\n')}

  --quick      fewer rounds and messages, within 50 s
  --full       more messages: kafka's memory through ten million
  --only PART  of ${scenarios.flatMap(({ name, parts = [] }) => (parts.length === 0 ? [] : [`${name}: ${parts.join(', ')}`])).join('; ')}
  --json FILE  where the figures go (default: bench-results/<scenario>.json)

The last lines are one for each goal: its name, measured, wanted, ok or short. Exits with 1 when one is short.`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const scenario = scenarios.find(({ name }) => name === positionals[0])
  const isPart = values.only === undefined || scenario?.parts?.includes(values.only) === true
  if (values.help || scenario === undefined || positionals.length > 1 || !isPart) {
    console.log(usage)
    return values.help ? 0 : 2
  }
  const { name, description } = scenario
  console.log(`${name}: ${description}`)
  console.log(
    `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}\n`,
  )
  const report = await scenario.run({ quick: values.quick, full: values.full, only: values.only })
  console.log(table(report.head, report.rows))
  const file = resolve(values.json ?? `bench-results/${name}.json`)
  mkdirSync(dirname(file), { recursive: true })
  const { goals, data } = report
  const result = {
    scenario: name,
    date: new Date().toISOString(),
    node: process.versions.node,
    quick: values.quick,
    full: values.full,
    only: values.only,
    goals,
    data,
  }
  writeFileSync(file, JSON.stringify(result, undefined, 2) + '\n')
  console.log(`\nFigures: ${file}\n`)
  for (const goal of goals) console.log(goalLine(goal))
  return goals.every(isReached) ? 0 : 1
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return 2
})
