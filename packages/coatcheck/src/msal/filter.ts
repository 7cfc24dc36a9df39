import { type RedisConnection, toScript } from '../stores/redis/connection.ts'

/** What a glance at a key says: whether it is worth reading. */
export type Glance = 'nothing' | 'worth_reading' | 'unreadable'

/**
 * KEYS some keys. ARGV what makes a value worth reading, in lower case. A hash of many fields is
 * read in pages, and not here.
 */
const GLANCE = toScript(`
local function look(value)
  if value == '' then return 0 end
  local lower = string.lower(value)
  for _, needle in ipairs(ARGV) do
    if string.find(lower, needle, 1, true) then return 1 end
  end
  if string.find(lower, 'home_account_id', 1, true) then return 0 end
  if string.find(value, '^%s*[%[{"]') or string.find(value, '^%s*-?%d[%d.]*%s*$') then return 0 end
  local word = string.match(value, '^%s*(%l+)%s*$')
  if word == 'true' or word == 'false' or word == 'null' then return 0 end
  return 2
end

local function glance(key)
  local type = redis.call('TYPE', key).ok
  if type == 'string' then return look(redis.call('GET', key)) end
  if type ~= 'hash' then return 0 end
  if redis.call('HLEN', key) > 16 then return 1 end
  local all = 0
  for _, value in ipairs(redis.call('HVALS', key)) do
    local one = look(value)
    if one == 1 then return 1 end
    if one == 2 then all = 2 end
  end
  return all
end

local glances = {}
for at, key in ipairs(KEYS) do glances[at] = glance(key) end
return glances`)

/**
 * What the server says of these keys, so that only values with one of the accounts in them are
 * sent here: most keys are somebody else's, and a cache is twenty kilobytes.
 */
export async function glanceAt(
  connection: RedisConnection,
  keys: readonly Buffer[],
  accounts: ReadonlySet<string>,
): Promise<Glance[]> {
  const needles = [...accounts].map((account) => (isPlain(account) ? account : 'home_account_id'))
  const ask = async (some: readonly Buffer[]): Promise<Glance[]> => {
    if (!some.every(isText)) return some.map(() => 'worth_reading')
    const names = some.map((key) => key.toString())
    const answer = await connection.run(GLANCE, names, needles)
    return (Array.isArray(answer) ? answer : []).map((code) => GLANCES[Number(code)] ?? 'nothing')
  }
  // On a Cluster a script touches the keys of one slot.
  if (connection.kind === 'cluster')
    return (await Promise.all(keys.map((key) => ask([key])))).flat()
  return ask(keys)
}

const GLANCES: readonly Glance[] = ['nothing', 'worth_reading', 'unreadable']

/** Whether every library writes it in JSON as it is. */
function isPlain(account: string): boolean {
  return /^[\w.-]+$/.test(account)
}

/** Names of keys are bytes; what is no UTF-8 would be another name as a text. */
function isText(key: Buffer): boolean {
  return Buffer.from(key.toString()).equals(key)
}
