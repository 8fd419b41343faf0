-- The buckets of src/domain/limit.rs, on Redis' own clock. A key holds the microsecond at which its bucket owes nothing
-- any more, and goes by itself then. All keys give or none does, unless they just owe more ('owe').
-- KEYS: the buckets. ARGV: 'take' or 'owe'; then for each bucket the price of what is asked and the debt of an empty
-- bucket, in microseconds. Answers the debts as they were before.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local debts, gives = {}, true
for nth, key in ipairs(KEYS) do
  local price, most = tonumber(ARGV[2 * nth]), tonumber(ARGV[2 * nth + 1])
  debts[nth] = math.max(0, (tonumber(redis.call('GET', key)) or now) - now)
  if price > 0 and debts[nth] + math.min(price, most) > most then
    gives = false
  end
end
if gives or ARGV[1] == 'owe' then
  for nth, key in ipairs(KEYS) do
    local price = tonumber(ARGV[2 * nth])
    if price > 0 then
      local debt = debts[nth] + price
      redis.call('SET', key, string.format('%.0f', now + debt), 'PX', math.ceil(debt / 1000))
    end
  end
end
return debts
