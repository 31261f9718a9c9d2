-- Asks hero_proxy about each request: http-request lua.hero_auth http://127.0.0.1:9997
-- A 200 puts the identity into the request; any other answer is the client's answer; no answer is a 503.

-- What hero_proxy may need to know of the request besides its place.
local asked = {
  'cookie', 'authorization', 'accept', 'origin', 'x-requested-with', 'sec-fetch-mode',
  'sec-websocket-key', 'sec-websocket-version',
}

-- What a service is told. Always set or taken away, never left as the client sent it.
local told = {
  'x-hero-user', 'x-hero-context', 'x-hero-claims', 'x-hero-impersonator', 'x-hero-assertion',
  'x-proxy-user-email', 'x-proxy-user-pubkey', 'x-proxy-provider-token', 'x-proxy-auth-method', 'cookie', 'authorization',
}

-- What goes to the client with an answer that is not a 200.
local shown = {
  'content-type', 'location', 'www-authenticate', 'cache-control', 'vary', 'retry-after',
  'content-security-policy', 'x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy',
  'strict-transport-security',
}

-- HAProxy counts the lines of a header from 0, and its HTTP client wants them from 1.
local function lines(values)
  local list = {}
  for i = 0, #values do list[#list + 1] = values[i] end
  return list
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply()
  reply:set_status(status)
  for _, name in ipairs(shown) do
    local values = headers[name]
    if values then
      for _, value in ipairs(lines(values)) do reply:add_header(name, value) end
    end
  end
  reply:set_body(body)
  txn:done(reply)
end

core.register_action('hero_auth', { 'http-req' }, function(txn, hero_proxy)
  local sent = txn.http:req_get_headers()
  local question = {
    ['x-forwarded-method'] = { txn.sf:method() },
    ['x-forwarded-proto'] = { txn.f:ssl_fc() == 1 and 'https' or 'http' },
    ['x-forwarded-host'] = { txn.sf:req_fhdr('host') },
    ['x-forwarded-uri'] = { txn.sf:pathq() },
    ['x-forwarded-for'] = { txn.sf:src() },
  }
  for _, name in ipairs(asked) do
    if sent[name] then question[name] = lines(sent[name]) end
  end

  local answer = core.httpclient():get({
    url = hero_proxy .. '/auth/forward',
    headers = question,
    timeout = 5000,
  })
  local status = answer and answer.status or 0
  if status >= 300 then return refuse(txn, status, answer.headers, answer.body or '') end
  if status ~= 200 or not answer.headers['x-proxy-auth-method'] then
    return refuse(txn, 503, {}, 'hero_proxy does not answer\n')
  end
  for _, name in ipairs(told) do
    local values = answer.headers[name]
    local value = values and (values[0] or values[1])
    if value and value ~= '' then
      txn.http:req_set_header(name, value)
    else
      txn.http:req_del_header(name)
    end
  end
end, 1)
