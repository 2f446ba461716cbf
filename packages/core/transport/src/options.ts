export * as optionRules from './options/check-options.ts'
