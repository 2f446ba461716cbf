import { abandonedAfterMs } from '../../contract/claims.ts'
import { script, type RedisScript } from './script.ts'

/** ARGV: an id of the call, then key, owner, lease and payload hash (or '') of each. */
export const claimScript: RedisScript = script(`
local answers = {}
for at = 2, #ARGV, 4 do
  local name = root .. 'claim:' .. ARGV[at]
  local call = ARGV[1] .. '/' .. at
  local lease, hash = tonumber(ARGV[at + 2]), ARGV[at + 3]
  local known = redis.call('HMGET', name, 'fence', 'owner', 'payloadHash', 'leaseEnd', 'done', 'result', 'call')
  local fence, owner, recorded, leaseEnd, done, result = unpack(known, 1, 6)
  local answer
  if known[7] == call then
    -- Clients send a command again when its answer was lost with the connection.
    answer = { 'claimed', fence }
  elseif recorded and hash ~= '' and recorded ~= hash then
    answer = { 'conflict', recorded }
  elseif done then
    answer = result and { 'done', result } or { 'done' }
  elseif fence and tonumber(leaseEnd) > now then
    answer = { 'inProgress', owner, text(leaseEnd - now) }
  else
    if fence then redis.call('DEL', name) end
    fence = draw()
    local fields = { 'fence', fence, 'owner', ARGV[at + 1], 'leaseEnd', text(now + lease), 'call', call }
    if hash ~= '' then fields[9], fields[10] = 'payloadHash', hash end
    redis.call('HSET', name, unpack(fields))
    redis.call('PEXPIREAT', name, text(now + lease + ${abandonedAfterMs}))
    answer = { 'claimed', fence }
  end
  answers[#answers + 1] = answer
end
return answers`)

const isHeld = `
local function isHeld(name, fence)
  return redis.call('HGET', name, 'fence') == fence
end
local function isRunning(name, fence)
  return isHeld(name, fence) and redis.call('HEXISTS', name, 'done') == 0
end
local answers = {}
local function answer(changed) answers[#answers + 1] = changed and 1 or 0 end
`

/** ARGV: key, fence and lease of each. */
export const renewScript: RedisScript = script(
  isHeld,
  `
for at = 1, #ARGV, 3 do
  local name, leaseEnd = root .. 'claim:' .. ARGV[at], now + ARGV[at + 2]
  local held = isRunning(name, ARGV[at + 1])
  if held then
    redis.call('HSET', name, 'leaseEnd', text(leaseEnd))
    redis.call('PEXPIREAT', name, text(leaseEnd + ${abandonedAfterMs}))
  end
  answer(held)
end
return answers`,
)

/** ARGV: key, fence, retention and '=' with the result (or '') of each. */
export const completeScript: RedisScript = script(
  isHeld,
  `
for at = 1, #ARGV, 4 do
  local name, result = root .. 'claim:' .. ARGV[at], ARGV[at + 3]
  local held = isHeld(name, ARGV[at + 1])
  if held then
    redis.call('HSET', name, 'done', 1)
    redis.call('HDEL', name, 'result', 'call')
    if result ~= '' then redis.call('HSET', name, 'result', string.sub(result, 2)) end
    redis.call('PEXPIREAT', name, text(now + ARGV[at + 2]))
  end
  answer(held)
end
return answers`,
)

/** ARGV: key and fence of each. */
export const releaseScript: RedisScript = script(
  isHeld,
  `
for at = 1, #ARGV, 2 do
  local name = root .. 'claim:' .. ARGV[at]
  local held = isRunning(name, ARGV[at + 1])
  if held then redis.call('DEL', name) end
  answer(held)
end
return answers`,
)
