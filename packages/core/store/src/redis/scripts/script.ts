import { hash } from 'node:crypto'

/** A script that Redis runs as one step. */
export interface RedisScript {
  readonly source: string
  /** By which Redis knows it once it has it. */
  readonly sha: string
}

// The only key that is declared is the counter: all others begin with the same hash tag, and so are in the same slot.
const prelude = `
local counter = KEYS[1]
local root = string.sub(counter, 1, -#'counter' - 1)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Lua would write 1.8e+15.
local function text(number) return string.format('%.0f', number) end

-- The next of the numbers that fences, versions and the order of the outbox are drawn from. The clock is in it, so that they
-- rise even when a failover has lost the last ones. A script takes as many at once as it may need: one for each argument.
local nextNumber
local function draw()
  if not nextNumber then
    local last = tonumber(redis.call('GET', counter) or '0')
    nextNumber = math.max(last + 1, time[1] * 1000000 + time[2])
    redis.call('SET', counter, text(nextNumber + #ARGV))
  end
  nextNumber = nextNumber + 1
  return text(nextNumber - 1)
end
`

/** `parts` are Lua: functions that several scripts share, and what this one does. */
export function script(...parts: readonly string[]): RedisScript {
  const source = [prelude, ...parts].join('\n')
  return { source, sha: hash('sha1', source, 'hex') }
}
