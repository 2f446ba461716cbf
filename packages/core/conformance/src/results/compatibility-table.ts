import type { BehaviourResult, ConformanceResults, FeatureResult } from './conformance-results.ts'

const introduction = `# Compatibility

What each broker can do, and what of it has been shown: every line comes from a run of the conformance suite against the
broker and version that it names. Nobody types this page; \`npm run compat\` writes it from the results in
\`docs/compatibility/results\`.
`

/** The page of all runs, as Markdown. The same results give the same page. */
export function compatibilityTable(runs: readonly ConformanceResults[]): string {
  const sorted = runs.toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  return [
    introduction,
    runTable(sorted),
    featureTable(sorted),
    ...sorted.map(details),
    behaviourTable(sorted),
  ].join('\n')
}

function runTable(runs: readonly ConformanceResults[]): string {
  const count = (run: ConformanceResults, result: BehaviourResult['result']): string =>
    String(run.behaviours.filter((one) => one.result === result).length)
  return section(
    'Runs',
    'Behaviours by result. `refused`: the broker has not what it needs, and asking for it was refused. `declared`: the same, and ' +
      'nobody can ask for it, or what it is about cannot happen on this broker.',
    table(
      ['run', 'version', 'date', 'lease', 'shown', 'refused', 'declared', 'not shown', 'failed'],
      runs.map((run) => [
        run.name,
        run.version ?? '',
        run.date,
        run.lease.durationMs === undefined
          ? run.lease.scope
          : `${run.lease.scope}, ${run.lease.durationMs} ms`,
        ...(['shown', 'refused', 'declared', 'not shown', 'failed'] as const).map((result) =>
          count(run, result),
        ),
      ]),
    ),
  )
}

function featureTable(runs: readonly ConformanceResults[]): string {
  const features = unique(runs.flatMap((run) => Object.keys(run.features)))
  return section(
    'Features',
    '`native`: the broker has it; `emulated`: the driver makes it from what the broker has; –: neither, and asking for it fails.',
    table(
      ['feature', ...runs.map(heading)],
      features.map((feature) => [
        `\`${feature}\``,
        ...runs.map((run) => featureCell(run.features[feature as keyof ConformanceResults['features']])),
      ]),
    ),
  )
}

function featureCell(feature: FeatureResult | undefined): string {
  if (feature === undefined) return '?'
  const level = feature.level === 'unsupported' ? '–' : feature.level
  return feature.result === 'not shown' || feature.result === 'failed'
    ? `${level} (${feature.result})`
    : level
}

/** What stands behind the levels of one broker. */
function details(run: ConformanceResults): string {
  const rows = Object.entries(run.features).map(
    ([feature, { guarantee, limits, cost, since, alternative }]) => [
      `\`${feature}\``,
      [
        guarantee,
        limits === undefined
          ? undefined
          : Object.entries(limits)
              .map(([name, limit]) => `${name} ${limit}`)
              .join(', '),
        cost === undefined ? undefined : `Cost: ${cost}`,
        since === undefined ? undefined : `Since ${since}`,
        alternative === undefined ? undefined : `Instead: ${alternative}`,
      ]
        .filter((part) => part !== undefined)
        .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`))
        .join(' '),
    ],
  )
  const told = rows.filter(([, text]) => text !== '')
  return section(heading(run), 'Limits, cost and alternatives.', table(['feature', ''], told))
}

function behaviourTable(runs: readonly ConformanceResults[]): string {
  const sentences = new Map<string, string>()
  for (const run of runs)
    for (const { id, sentence } of run.behaviours) if (!sentences.has(id)) sentences.set(id, sentence)
  const ids = [...sentences.keys()].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const reasons: string[] = []
  const cell = (found: BehaviourResult | undefined): string => {
    if (found === undefined) return '?'
    // Why something is refused stands with the features.
    if (found.result === 'shown' || found.result === 'refused') return found.result
    const reason = found.reason ?? ''
    if (!reasons.includes(reason)) reasons.push(reason)
    return `${found.result} (${reasons.indexOf(reason) + 1})`
  }
  const rows = ids.map((id) => [
    id,
    sentences.get(id) ?? '',
    ...runs.map((run) => cell(run.behaviours.find((one) => one.id === id))),
  ])
  const notes = reasons.map((reason, index) => `${index + 1}. ${escape(reason)}`)
  const text = table(['', 'behaviour', ...runs.map(heading)], rows)
  return section(
    'Behaviours',
    'The promises, as the suite states them.',
    notes.length === 0 ? text : `${text}\n\n${notes.join('\n')}`,
  )
}

const heading = (run: ConformanceResults): string =>
  run.version === undefined ? run.name : `${run.broker} ${run.version}`

const section = (title: string, text: string, body: string): string => `## ${title}\n\n${text}\n\n${body}\n`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}

const escape = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|')

const unique = (values: readonly string[]): string[] => [...new Set(values)]
