import type { Redis } from 'ioredis'
import type { StoreUnderTest } from '@posthorn/conformance'
import { redisStore } from '@posthorn/store/redis'

let lastPrefix = 0

/** Each harness has keys of its own on a server that is already there. Each store has one of the clients. */
export function redisSubject(name: string, clients: () => readonly Redis[]): StoreUnderTest<never> {
  return {
    name,
    async create() {
      lastPrefix += 1
      const prefix = `test-${process.pid}-${lastPrefix}`
      const [admin] = clients()
      let opened = 0
      return {
        async open() {
          opened += 1
          const client = clients()[opened % clients().length]!
          const store = redisStore(client, { prefix })
          await store.migrate()
          return store
        },
        pass: async (durationMs) => void (await admin!.eval(age, 1, `{${prefix}}:counter`, durationMs)),
        close: async () => void (await admin!.eval(removeAll, 1, `{${prefix}}:counter`)),
      }
    },
  }
}

const keys = `
local root = string.sub(KEYS[1], 1, -#'counter' - 1)
local keys = redis.call('KEYS', string.gsub(root, '%p', '\\\\%0') .. '*')`

const removeAll = `${keys}
for _, key in ipairs(keys) do redis.call('DEL', key) end`

/** Takes the time off everything that is stored. */
const age = `${keys}
local function shift(time) return string.format('%.0f', time - ARGV[1]) end
for _, key in ipairs(keys) do
  local kind = redis.call('TYPE', key).ok
  local name = string.sub(key, #root + 1)
  if kind == 'hash' then
    for _, field in ipairs({ 'leaseEnd', 'dueAt', 'expiresAt', 'appendedAt', 'freeAt' }) do
      local time = redis.call('HGET', key, field)
      if time then redis.call('HSET', key, field, shift(time)) end
    end
  elseif string.find(name, '^records:due:') or name == 'records:expiring' or name == 'outbox:free' then
    local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for at = 1, #members, 2 do redis.call('ZADD', key, shift(members[at + 1]), members[at]) end
  end
  local expiry = redis.call('PEXPIRETIME', key)
  if expiry > 0 then redis.call('PEXPIREAT', key, shift(expiry)) end
end`
