export { redisStore } from './redis/create-redis-store.ts'
export type { RedisStoreOptions } from './redis/create-redis-store.ts'
export type { RedisClient } from './redis/redis-session.ts'
