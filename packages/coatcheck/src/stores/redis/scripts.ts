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

const LEAVE = `${KEEP}
local function leave(index, marks, clock, established, kept, limit)
  local before = redis.call('HGET', marks, clock)
  if before then
    local e, k = string.match(before, '^(%S+) (%S+)$')
    if tonumber(e) > tonumber(established) then established = e end
    if tonumber(k) > tonumber(kept) then kept = k end
  end
  redis.call('HSET', marks, clock, established .. ' ' .. kept)
  keep(marks, string.format('%.0f', tonumber(kept)))
  return redis.call('ZRANGEBYLEX', index, '-', '+', 'LIMIT', 0, limit)
end
`

/**
 * KEYS index, marks. ARGV clock, established until, keep until, limit. Leaves a mark, and then
 * reads the first ids of the index: whoever is not yet among them finds the mark.
 */
export const MARK: RedisScript = toScript(`${LEAVE}
return leave(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3], ARGV[4])`)

/** The same for all indexes of a removal, where one server has them: of each two KEYS and four ARGV. */
export const MARK_ALL: RedisScript = toScript(`${LEAVE}
local pages = {}
for nth = 1, #KEYS / 2 do
  local k, a = 2 * nth - 1, 4 * nth - 3
  pages[nth] = leave(KEYS[k], KEYS[k + 1], ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3])
end
return pages`)

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

/** The same, and notes its end, where one server has both. KEYS record, ends. ARGV …, end, id, keep until. */
export const BEGIN_NOTED: RedisScript = toScript(`${CLOCK}${IS_FREE}
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[5])
redis.call('PEXPIREAT', KEYS[2], ARGV[6])
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
 * A removal in one step, where one server has everything: what SUCCEED_ALL does, and the entries of
 * all of it. KEYS record, …, successor, …, sorted set, …. ARGV number of records, of successors, of
 * each record the state and version expected, for each successor bytes and keep until, and for each
 * sorted set what is done to it: `drop` number id …, `note` and `add` number, keep until, score id ….
 */
export const TAKE: RedisScript = toScript(`${KEEP}
local count, written = tonumber(ARGV[1]), tonumber(ARGV[2])
local same, gone = 0, 0
for at = 1, count do
  local head = redis.call('GETRANGE', KEYS[at], 0, 16)
  if head == ARGV[at + 2] then same = same + 1 elseif head == '' then gone = gone + 1 end
end
if written > 0 and gone == count then
  if redis.call('GET', KEYS[count + 1]) == ARGV[count + 3] then return 1 end
end
if same < count then return 0 end
for at = 1, count do redis.call('DEL', KEYS[at]) end
local given = count + 3
for at = count + 1, count + written do
  redis.call('SET', KEYS[at], ARGV[given], 'PXAT', ARGV[given + 1])
  given = given + 2
end
for at = count + written + 1, #KEYS do
  local what, last = ARGV[given], tonumber(ARGV[given + 1])
  if what == 'drop' then
    for id = given + 2, given + 1 + last do redis.call('ZREM', KEYS[at], ARGV[id]) end
    given = given + 2 + last
  else
    local before = given + 2
    for pair = 1, last do
      redis.call('ZADD', KEYS[at], ARGV[before + 2 * pair - 1], ARGV[before + 2 * pair])
    end
    if what == 'add' then keep(KEYS[at], ARGV[before]) else redis.call('PEXPIREAT', KEYS[at], ARGV[before]) end
    given = before + 2 * last + 1
  end
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
