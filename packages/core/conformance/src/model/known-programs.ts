import type { Command, Program, Step } from './program.ts'

const step = (answer: Step['answer'], takesMs = 0, delayMs = 0): Step => ({ answer, takesMs, delayMs })

const send = (key: number | undefined, ...script: readonly Step[]): Command => ({
  do: 'send',
  key,
  script,
  expiresInMs: undefined,
  delayMs: undefined,
})

const plain = (...script: readonly Step[]): Command => send(undefined, ...script)
const advance = (ms: number): Command => ({ do: 'advance', ms })
const on = (name: 'stop' | 'kill' | 'cut' | 'pause' | 'resume', process = 0): Command => ({
  do: name,
  process,
})
const source = (name: 'dropLeases' | 'revoke' | 'endConsumers'): Command => ({ do: name, source: 0 })
const failSettlements: Command = { do: 'failSettlements', count: 1 }

/** Programs that once broke a transport, shrunk: on queues without keys. */
export const knownPrograms: Readonly<Record<string, Program>> = {
  'a failure is still to be retried when its consumer stops': [
    plain(step('throw')),
    advance(400),
    on('stop'),
  ],
  'a release is still to come back when its lease is lost': [
    plain(step('release', 0, 500)),
    advance(20),
    source('dropLeases'),
  ],
  'a retry is given back while its settlement fails': [
    failSettlements,
    plain(step('retry')),
    plain(),
    on('pause'),
  ],
  'a lease is lost in the first attempt, and the last dead letter fails at first': [
    plain(step('throw', 2_500), step('throw'), step('throw'), step('throw')),
    advance(0),
    source('dropLeases'),
    failSettlements,
  ],
  'a process is killed while it is connecting': [
    on('cut'),
    plain(),
    on('kill'),
    advance(1_500),
    on('resume'),
  ],
}

/** The same with order by key. */
export const knownKeyedPrograms: Readonly<Record<string, Program>> = {
  'a message of a key fails while its consumer stops': [
    send(1, step('throw', 300)),
    send(1),
    on('stop'),
    plain(),
  ],
  'a message that waits for its key is given back, and that fails at first': [
    send(0, step('ack', 10)),
    send(0),
    plain(),
    failSettlements,
    source('revoke'),
    advance(0),
  ],
  'a consumer is resumed before what it gave back has arrived': [
    send(2, step('release')),
    plain(step('ack', 300)),
    send(2),
    on('pause'),
  ],
  'the same, and the release fails at first': [
    send(1, step('retry', 0, 3_000)),
    advance(0),
    on('pause'),
    failSettlements,
    send(1),
  ],
  'a suspect of a key fails': [
    send(0, step('release', 2_500), step('throw')),
    send(0),
    on('cut'),
    advance(400),
    source('endConsumers'),
  ],
  'a suspect has still to wait for its time': [
    send(0, step('release', 0, 3_000)),
    advance(1),
    source('dropLeases'),
    plain(),
    on('kill'),
    { do: 'concurrency', process: 0, concurrency: 1 },
  ],
  'the second message of a key is suspected before the first': [
    { do: 'start' },
    send(1, step('throw')),
    send(1),
    advance(0),
    on('cut'),
    plain(),
    plain(),
    source('endConsumers'),
    plain(),
  ],
  'a suspect loses its scope while it waits for the process': [
    send(0),
    plain(),
    source('dropLeases'),
    { do: 'start' },
    plain(step('throw', 300)),
    source('endConsumers'),
    plain(),
  ],
}
