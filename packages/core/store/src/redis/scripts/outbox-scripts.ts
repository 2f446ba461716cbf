import { script, type RedisScript } from './script.ts'

// Beside the hash of each message: "order" has the ids of all by their sequence, "key" those of each key, and "free" what can be
// claimed, by the time from which it can: messages without a key, and the first of each key. Its members begin with the
// sequence, which decides between those of the same time.
const shared = `
local function messageName(id) return root .. 'message:' .. id end
local function keyName(key) return root .. 'outbox:key:' .. key end
local orderName, freeName = root .. 'outbox:order', root .. 'outbox:free'
local function member(sequence, id) return sequence .. ':' .. id end

local function offer(id)
  local sequence, freeAt = unpack(redis.call('HMGET', messageName(id), 'sequence', 'freeAt'))
  redis.call('ZADD', freeName, freeAt, member(sequence, id))
end

local function firstOf(key) return redis.call('ZRANGE', keyName(key), 0, 0)[1] end
`

/** A function that writes of records use, too. */
export const appendFunction: string = `${shared}
local function append(id, key, body)
  local name = messageName(id)
  if redis.call('EXISTS', name) == 1 then return end
  local sequence = draw()
  redis.call('HSET', name, 'body', body, 'sequence', sequence, 'appendedAt', text(now), 'freeAt', text(now), 'claims', 0)
  redis.call('ZADD', orderName, sequence, id)
  if key == '' then return offer(id) end
  redis.call('HSET', name, 'key', key)
  redis.call('ZADD', keyName(key), sequence, id)
  if firstOf(key) == id then offer(id) end
end
`

/** ARGV: id, key (or '') and body of each. */
export const appendScript: RedisScript = script(
  appendFunction,
  `for at = 1, #ARGV, 3 do append(ARGV[at], ARGV[at + 1], ARGV[at + 2]) end`,
)

/** ARGV: limit and lease. Answers the fence, and id, body, claims, sequence and key (or '') of each. */
export const claimMessagesScript: RedisScript = script(
  shared,
  `
local limit, leaseEnd, fence, messages = tonumber(ARGV[1]), text(now + ARGV[2]), draw(), {}

local function take(id)
  local name = messageName(id)
  redis.call('HSET', name, 'freeAt', leaseEnd, 'fence', fence)
  local claims = redis.call('HINCRBY', name, 'claims', 1)
  local body, sequence, key = unpack(redis.call('HMGET', name, 'body', 'sequence', 'key'))
  messages[#messages + 1] = { id, body, claims, sequence, key or '' }
  return key
end

for _, free in ipairs(redis.call('ZRANGEBYSCORE', freeName, '-inf', text(now), 'LIMIT', 0, limit)) do
  if #messages == limit then break end
  local id = string.sub(free, string.find(free, ':', 1, true) + 1)
  local key = take(id)
  redis.call('ZADD', freeName, leaseEnd, free)
  local behind = key and redis.call('ZRANGE', keyName(key), 1, limit - #messages) or {}
  for _, follower in ipairs(behind) do
    if #messages == limit or tonumber(redis.call('HGET', messageName(follower), 'freeAt')) > now then break end
    take(follower)
  end
end
return { fence, messages }`,
)

/** ARGV: the ids. */
export const sentScript: RedisScript = script(
  shared,
  `
for _, id in ipairs(ARGV) do
  local sequence, key = unpack(redis.call('HMGET', messageName(id), 'sequence', 'key'))
  if sequence then
    redis.call('DEL', messageName(id))
    redis.call('ZREM', orderName, id)
    redis.call('ZREM', freeName, member(sequence, id))
    if key then
      redis.call('ZREM', keyName(key), id)
      local first = firstOf(key)
      if first then offer(first) end
    end
  end
end`,
)

/** ARGV: fence and delay, then the ids. */
export const releaseMessagesScript: RedisScript = script(
  shared,
  `
for at = 3, #ARGV do
  local id = ARGV[at]
  local fence, key = unpack(redis.call('HMGET', messageName(id), 'fence', 'key'))
  if fence == ARGV[1] then
    redis.call('HSET', messageName(id), 'freeAt', text(now + ARGV[2]))
    if not key or firstOf(key) == id then offer(id) end
  end
end`,
)

/** Answers how many wait, and for how long the oldest has (or -1). */
export const depthScript: RedisScript = script(
  shared,
  `
local oldest = redis.call('ZRANGE', orderName, 0, 0)[1]
local age = oldest and math.max(0, now - redis.call('HGET', messageName(oldest), 'appendedAt')) or -1
return { redis.call('ZCARD', orderName), text(age) }`,
)
