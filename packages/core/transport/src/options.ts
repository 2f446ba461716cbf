export * as optionRules from './options/check-options.ts'
export { checkTransport } from './options/check-transport.ts'
