import { type RedisScript, toScript } from './script.ts'

/*
 * Each script touches the keys of one slot only, and is one step among all others of its server.
 * Times are milliseconds since the epoch; `now` is the server's clock unless a test gives one.
 */

const CLOCK = `
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** Never shortens the life of a key that others need for longer. */
const KEEP = `
local function keep(key, at)
  local time = redis.call('TIME')
  local left = redis.call('PTTL', key)
  if left >= 0 and time[1] * 1000 + math.floor(time[2] / 1000) + left >= tonumber(at) then return end
  redis.call('PEXPIREAT', key, at)
end
`

const MARKS = `
local function marks(key, given)
  local found = redis.call('HMGET', key, 'p', 'h')
  return { string.format('%d', clock(given)), found[1], found[2] }
end
`

/**
 * KEYS index, marks. ARGV now, keep until, id, … Adds ids to an index, and then reads its marks:
 * whoever leaves a mark later finds the ids.
 */
export const ADD: RedisScript = toScript(`${CLOCK}${KEEP}${MARKS}
for at = 3, #ARGV do redis.call('ZADD', KEYS[1], 0, ARGV[at]) end
keep(KEYS[1], ARGV[2])
return marks(KEYS[2], ARGV[1])`)

/** KEYS index, marks. ARGV now, keep until. Reads the marks of an index whose records live on. */
export const LOOK: RedisScript = toScript(`${CLOCK}${KEEP}${MARKS}
if redis.call('EXISTS', KEYS[1]) == 1 then keep(KEYS[1], ARGV[2]) end
return marks(KEYS[2], ARGV[1])`)

/**
 * KEYS index, marks. ARGV clock, established until, keep until, limit. Leaves a mark, and then
 * reads the first ids of the index: whoever is not yet among them finds the mark.
 */
export const MARK: RedisScript = toScript(`${KEEP}
local before = redis.call('HGET', KEYS[2], ARGV[1])
local established, kept = ARGV[2], ARGV[3]
if before then
  local e, k = string.match(before, '^(%S+) (%S+)$')
  if tonumber(e) > tonumber(established) then established = e end
  if tonumber(k) > tonumber(kept) then kept = k end
end
redis.call('HSET', KEYS[2], ARGV[1], established .. ' ' .. kept)
keep(KEYS[2], string.format('%.0f', tonumber(kept)))
return redis.call('ZRANGEBYLEX', KEYS[1], '-', '+', 'LIMIT', 0, ARGV[4])`)

/**
 * Whether nothing that lasts is under the key. Ends are compared as the store's clock has it. A
 * record without indexes needs no shell and takes the place of one: whoever died left it there. Our
 * own shell is there where a client whose connection broke sends the script again.
 */
const IS_FREE = `
local function isFree(key, given, bytes)
  local head = redis.call('GETRANGE', key, 0, 24)
  if head == '' then return true end
  if string.sub(head, 1, 1) == 'S' then
    if string.sub(bytes, 1, 1) == 'L' or string.sub(bytes, 1, 17) == string.sub(head, 1, 17) then
      return true
    end
  end
  return #head == 25 and struct.unpack('>d', string.sub(head, 18)) <= clock(given)
end
`

/** KEYS record. ARGV now, bytes, keep until. Writes a record where there is none that lasts. */
export const BEGIN: RedisScript = toScript(`${CLOCK}${IS_FREE}
if not isFree(KEYS[1], ARGV[1], ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1`)

/**
 * KEYS record. ARGV now, state and version expected, indexes expected, bytes, keep until. Writes
 * over the version of a record that was read, while it lasts. 0: it is gone or another. 2: it is
 * found under other indexes than expected, or on its way. Offsets: record.ts.
 */
export const SWAP: RedisScript = toScript(`${CLOCK}
local head = redis.call('GETRANGE', KEYS[1], 0, 40 + #ARGV[3])
if string.sub(head, 2, 17) ~= string.sub(ARGV[2], 2) then return 0 end
if struct.unpack('>d', string.sub(head, 18, 25)) <= clock(ARGV[1]) then return 0 end
if string.sub(head, 1, 1) ~= string.sub(ARGV[2], 1, 1) then return 2 end
if string.sub(head, 42) ~= ARGV[3] then return 2 end
redis.call('SET', KEYS[1], ARGV[4], 'PXAT', ARGV[5])
return 1`)

/**
 * KEYS record, successors. ARGV state and version expected, and for each successor bytes and keep
 * until. Removes the version of a record that was read, and writes what succeeds it. That is there
 * already where a client sends the script again, since its connection broke before the answer: in
 * the record's own place, or in another and the record is gone. Nobody else writes the same bytes.
 */
export const SUCCEED: RedisScript = toScript(`
local head = redis.call('GETRANGE', KEYS[1], 0, 16)
if KEYS[1] == KEYS[2] and head == string.sub(ARGV[2], 1, 17) then return 1 end
if head == '' and KEYS[2] and redis.call('GET', KEYS[2]) == ARGV[2] then return 1 end
if head ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
for at = 2, #KEYS do
  redis.call('SET', KEYS[at], ARGV[2 * at - 2], 'PXAT', ARGV[2 * at - 1])
end
return 1`)

/**
 * The same for records that one server has. KEYS record, …, successor, …. ARGV number of records,
 * of each the state and version expected, and for each successor bytes and keep until. Does nothing
 * at all where one of them has changed. All gone, and the first successor there: sent again.
 */
export const SUCCEED_ALL: RedisScript = toScript(`
local count = tonumber(ARGV[1])
local same, gone = 0, 0
for at = 1, count do
  local head = redis.call('GETRANGE', KEYS[at], 0, 16)
  if head == ARGV[at + 1] then same = same + 1 elseif head == '' then gone = gone + 1 end
end
if gone == count and KEYS[count + 1] then
  if redis.call('GET', KEYS[count + 1]) == ARGV[count + 2] then return 1 end
end
if same < count then return 0 end
for at = 1, count do redis.call('DEL', KEYS[at]) end
for at = 1, #KEYS - count do
  local given = count + 2 * at
  redis.call('SET', KEYS[count + at], ARGV[given], 'PXAT', ARGV[given + 1])
end
return 1`)

/**
 * KEYS record, …. Reads them, as one is read: GETEX changes nothing, but counts as a write, so that
 * no server answers that became a replica.
 */
export const READ: RedisScript = toScript(`
local found = {}
for at = 1, #KEYS do found[at] = redis.call('GETEX', KEYS[at]) end
return found`)

/** KEYS index, …. ARGV for each a number of ids, and these. Takes ids out of indexes. */
export const DROP: RedisScript = toScript(`
local at = 1
for _, key in ipairs(KEYS) do
  local last = at + tonumber(ARGV[at])
  for id = at + 1, last do redis.call('ZREM', key, ARGV[id]) end
  at = last + 1
end
return 1`)

/** KEYS claim. ARGV now, until. Gives a claim unless an earlier one has not ended. */
export const CLAIM: RedisScript = toScript(`${CLOCK}
local before = redis.call('GET', KEYS[1])
if before and tonumber(before) > clock(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', string.format('%.0f', math.ceil(tonumber(ARGV[2]))))
return 1`)
