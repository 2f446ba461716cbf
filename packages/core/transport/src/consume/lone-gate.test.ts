import { describe, expect, test } from 'vitest'
import { LoneGate, type Yielding } from './lone-gate.ts'

interface Member extends Yielding {
  readonly log: string[]
  idle(): void
}

function member(): Member {
  const log: string[] = []
  let callback = (): void => undefined
  return {
    log,
    idle: () => callback(),
    makeWay(idle) {
      log.push('makes way')
      callback = idle
    },
    goOn: () => log.push('goes on'),
  }
}

function gateOf(...members: readonly Member[]): LoneGate {
  const gate = new LoneGate()
  for (const one of members) gate.join(one)
  return gate
}

describe('LoneGate', () => {
  test('lets one in at once when it is alone', () => {
    const one = member()
    const gate = gateOf(one)
    let entered = 0
    expect(gate.ask(one, () => entered++)).toBe(true)
    expect(entered).toBe(1)
    expect(one.log).toEqual([])
  })

  test('waits for all others, and lets them go on afterwards', () => {
    const [one, two, three] = [member(), member(), member()]
    const gate = gateOf(one, two, three)
    let entered = 0
    gate.ask(one, () => entered++)
    two.idle()
    two.idle()
    expect(entered).toBe(0)
    three.idle()
    expect(entered).toBe(1)
    gate.leave(one)
    for (const other of [two, three]) expect(other.log).toEqual(['makes way', 'goes on'])
    expect(one.log).toEqual([])
  })

  test('refuses a second one while the first has it', () => {
    const [one, two] = [member(), member()]
    const gate = gateOf(one, two)
    gate.ask(one, () => undefined)
    expect(gate.ask(two, () => undefined)).toBe(false)
    gate.leave(two)
    expect(two.log).toEqual(['makes way'])
    gate.leave(one)
    expect(gate.ask(two, () => undefined)).toBe(true)
  })

  test('does not let in who has left before the others were idle', () => {
    const [one, two] = [member(), member()]
    const gate = gateOf(one, two)
    let entered = 0
    gate.ask(one, () => entered++)
    gate.leave(one)
    two.idle()
    expect([entered, two.log]).toEqual([0, ['makes way', 'goes on']])
  })

  test('does not wait for a member that has gone', () => {
    const [one, two] = [member(), member()]
    const gate = gateOf(one, two)
    let entered = 0
    gate.ask(one, () => entered++)
    gate.part(two)
    expect(entered).toBe(1)
  })

  test('lets the others go on when who has it goes', () => {
    const [one, two] = [member(), member()]
    const gate = gateOf(one, two)
    gate.ask(one, () => undefined)
    gate.part(one)
    expect(two.log).toEqual(['makes way', 'goes on'])
  })

  test('asks a member that comes meanwhile to make way', () => {
    const [one, late] = [member(), member()]
    const gate = gateOf(one)
    gate.ask(one, () => undefined)
    gate.join(late)
    expect(late.log).toEqual(['makes way'])
  })

  test('can be asked by a member as it goes on', () => {
    const [one, two, three] = [member(), member(), member()]
    const gate = gateOf(one, two, three)
    let entered = 0
    gate.ask(one, () => undefined)
    const goOn = two.goOn.bind(two)
    two.goOn = () => {
      goOn()
      expect(gate.ask(two, () => entered++)).toBe(true)
    }
    gate.leave(one)
    expect(three.log).toEqual(['makes way', 'makes way'])
    expect(one.log).toEqual(['makes way'])
    one.idle()
    three.idle()
    expect(entered).toBe(1)
    two.goOn = goOn
    gate.leave(two)
    expect([one.log.at(-1), three.log.at(-1), two.log.at(-1)]).toEqual(['goes on', 'goes on', 'goes on'])
  })
})
