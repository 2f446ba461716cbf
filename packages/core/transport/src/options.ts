export { systemClock } from './clock/system-clock.ts'
export * as optionRules from './options/check-options.ts'
export { checkTransport } from './options/check-transport.ts'
export { consumeOptionsPassedOn, passedOn } from './options/passed-on.ts'
