export { memoryStore } from './memory/create-memory-store.ts'
export type { MemoryStoreOptions } from './memory/create-memory-store.ts'
