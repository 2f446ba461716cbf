import { appendFunction } from './outbox-scripts.ts'
import { script, type RedisScript } from './script.ts'

// Beside the hash of each record, sorted sets have what is looked for: all keys of a collection, those with an index, those that
// are due, and, of all collections, those that expire. Lengths keep names apart that have a colon in them.
const shared = `
local function id(collection, key) return #collection .. ':' .. collection .. ':' .. key end
local function recordName(collection, key) return root .. 'record:' .. id(collection, key) end
local function keysName(collection) return root .. 'records:keys:' .. collection end
local function indexName(collection, index) return root .. 'records:index:' .. id(collection, index) end
local function dueName(collection) return root .. 'records:due:' .. collection end
local expiringName = root .. 'records:expiring'

local function remove(collection, key)
  local name = recordName(collection, key)
  local index = redis.call('HGET', name, 'index')
  if index then redis.call('ZREM', indexName(collection, index), key) end
  redis.call('DEL', name)
  redis.call('ZREM', keysName(collection), key)
  redis.call('ZREM', dueName(collection), key)
  redis.call('ZREM', expiringName, id(collection, key))
end

-- Nothing for a record that is absent; one that has expired is removed.
local function find(collection, key)
  local known = redis.call('HMGET', recordName(collection, key), 'version', 'value', 'index', 'dueAt', 'expiresAt', 'call')
  if not known[1] then return nil end
  if known[5] and tonumber(known[5]) <= now then
    remove(collection, key)
    return nil
  end
  return known
end

local function show(key, known) return { key, known[1], known[2], known[3] or '', known[4] or '' } end
`

/** ARGV: collection and key of each. Answers key, version, value, index (or '') and due time (or '') of each, or nothing. */
export const getScript: RedisScript = script(
  shared,
  `
local answers = {}
for at = 1, #ARGV, 2 do
  local known = find(ARGV[at], ARGV[at + 1])
  answers[#answers + 1] = known and show(ARGV[at + 1], known) or {}
end
return answers`,
)

/**
 * ARGV: an id of the call, then collection, key, expected version, value, index (or ''), due time, milliseconds until it is due,
 * those until it expires (each or ''), the number of outbox messages, and their ids, keys (or '') and bodies. Answers the
 * version, or '', of each.
 */
export const putScript: RedisScript = script(
  shared,
  appendFunction,
  `
local answers, at = {}, 2
while at <= #ARGV do
  local collection, key, expected, value, index, dueAt, dueIn, expiresIn, count = unpack(ARGV, at, at + 8)
  local call = ARGV[1] .. '/' .. at
  local known = find(collection, key)
  local version = ''
  if known and known[6] == call then
    -- Clients send a command again when its answer was lost with the connection.
    version = known[1]
  elseif (known and known[1] or '0') == expected then
    if known then remove(collection, key) end
    version = draw()
    local name = recordName(collection, key)
    redis.call('HSET', name, 'version', version, 'value', value, 'call', call)
    redis.call('ZADD', keysName(collection), 0, key)
    if index ~= '' then
      redis.call('HSET', name, 'index', index)
      redis.call('ZADD', indexName(collection, index), 0, key)
    end
    if dueIn ~= '' then dueAt = text(now + dueIn) end
    if dueAt ~= '' then
      redis.call('HSET', name, 'dueAt', dueAt)
      redis.call('ZADD', dueName(collection), dueAt, key)
    end
    if expiresIn ~= '' then
      redis.call('HSET', name, 'expiresAt', text(now + expiresIn))
      redis.call('ZADD', expiringName, text(now + expiresIn), id(collection, key))
    end
    for message = at + 9, at + 8 + 3 * count, 3 do append(ARGV[message], ARGV[message + 1], ARGV[message + 2]) end
  end
  answers[#answers + 1] = version
  at = at + 9 + 3 * count
end
return answers`,
)

/** ARGV: collection, index (or ''), the key that it comes after (or '') and the limit. */
export const listScript: RedisScript = script(
  shared,
  `
local collection, index, after, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local name = index == '' and keysName(collection) or indexName(collection, index)
local records = {}
while #records < limit do
  local keys = redis.call('ZRANGEBYLEX', name, after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit - #records)
  if #keys == 0 then break end
  for _, key in ipairs(keys) do
    local known = find(collection, key)
    if known then records[#records + 1] = show(key, known) end
  end
  after = keys[#keys]
end
return records`,
)

/** ARGV: collection, limit and lease. */
export const takeDueScript: RedisScript = script(
  shared,
  `
local collection, limit, leaseEnd = ARGV[1], tonumber(ARGV[2]), text(now + ARGV[3])
local records = {}
while #records < limit do
  local keys = redis.call('ZRANGEBYSCORE', dueName(collection), '-inf', text(now), 'LIMIT', 0, limit - #records)
  if #keys == 0 then break end
  for _, key in ipairs(keys) do
    local known = find(collection, key)
    if known then
      redis.call('HSET', recordName(collection, key), 'dueAt', leaseEnd)
      redis.call('ZADD', dueName(collection), leaseEnd, key)
      known[4] = leaseEnd
      records[#records + 1] = show(key, known)
    end
  end
end
return records`,
)

/** ARGV: the limit. Claims expire by themselves. Answers how many were removed. */
export const sweepScript: RedisScript = script(
  shared,
  `
local expired = redis.call('ZRANGEBYSCORE', expiringName, '-inf', text(now), 'LIMIT', 0, ARGV[1])
for _, record in ipairs(expired) do
  local colon = string.find(record, ':', 1, true)
  local length = tonumber(string.sub(record, 1, colon - 1))
  remove(string.sub(record, colon + 1, colon + length), string.sub(record, colon + length + 2))
end
return #expired`,
)
