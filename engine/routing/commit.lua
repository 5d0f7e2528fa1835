-- Writes what one batch of decisions means, if the tenure is still the present one.
-- KEYS: router:epoch, router:cursor, waiting, offers, agents, router:lease, router:written
-- ARGV: epoch, cursor ("" leaves it), process id, lease in milliseconds, operations as JSON
-- Operations, in order:
--   ["offer", offer id, entry id, agent key, inbox key, decision]   claim: the call waits and the agent is free
--   ["agent", agent id, agent key, fields, notice]                  fields: flat list of names and values
--   ["remove", agent id, agent key, notice]
--   ["close", offer id, decision]                                   decision "" where nothing is to be written down
--   ["tell", inbox key, decision]
--   ["note", decision]                                              only kept in router:written
--   ["place", queue key, rank, entry id]                            where a call that waits stands in its queue
--   ["keep", hash, field, value]                                    value "" takes the field out
--   ["answer", list, text]                                          to somebody who waits for it
-- Returns the epoch in force, then for each claim that was lost its offer id and what was missing.
local epoch = redis.call('GET', KEYS[1])
if epoch ~= ARGV[1] then
  return {epoch or ''}
end
redis.call('SET', KEYS[6], ARGV[3], 'PX', ARGV[4])
local answer = {epoch}
for _, op in ipairs(cjson.decode(ARGV[5])) do
  local kind = op[1]
  if kind == 'offer' then
    local state = redis.call('HMGET', op[4], 'presence', 'work')
    local missing
    if redis.call('HEXISTS', KEYS[3], op[3]) == 0 then
      missing = 'call'
    elseif state[1] ~= 'ready' or state[2] ~= 'idle' then
      missing = 'agent'
    end
    if missing then
      answer[#answer + 1] = op[2]
      answer[#answer + 1] = missing
    else
      redis.call('HSET', op[4], 'work', 'offered', 'offer_id', op[2])
      redis.call('HSET', KEYS[4], op[2], op[6])
      redis.call('RPUSH', op[5], op[6])
      redis.call('EXPIRE', op[5], 60)
    end
  elseif kind == 'agent' then
    redis.call('SADD', KEYS[5], op[2])
    redis.call('HSET', op[3], unpack(op[4]))
    redis.call('PUBLISH', 'live', op[5])
  elseif kind == 'remove' then
    redis.call('SREM', KEYS[5], op[2])
    redis.call('DEL', op[3])
    redis.call('PUBLISH', 'live', op[4])
  elseif kind == 'close' then
    redis.call('HDEL', KEYS[4], op[2])
  elseif kind == 'place' then
    if redis.call('HEXISTS', KEYS[3], op[4]) == 1 then
      redis.call('ZADD', op[2], op[3], op[4])
    end
  elseif kind == 'keep' then
    if op[4] == '' then
      redis.call('HDEL', op[2], op[3])
    else
      redis.call('HSET', op[2], op[3], op[4])
    end
  elseif kind == 'answer' then
    redis.call('RPUSH', op[2], op[3])
    redis.call('EXPIRE', op[2], 30)
  elseif kind == 'tell' then
    redis.call('RPUSH', op[2], op[3])
    redis.call('EXPIRE', op[2], 60)
  end
end
if ARGV[5] ~= '[]' then
  redis.call('SET', KEYS[7], ARGV[5])
end
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2])
end
return answer
