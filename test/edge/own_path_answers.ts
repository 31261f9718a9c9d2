/**
 * What a guest gets at every own path and at similar paths: `service` where the request is forwarded by the route of the host.
 * Home is the host of the public URL; both hosts have a route that lets everybody in.
 */
export const ownPathAnswers = `
/auth
  both    302 /auth/me: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/
  both    404 not_found
/auth/x
  both    404 not_found
/auth/login
  both    200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/login/
  both    404 not_found
/auth/login/x
  both    404 not_found
/auth/logout
  both    302 /auth/login: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/link
  both    400 flow_over: GET | 415 unsupported_media_type: POST json | 303 /auth/me: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/link/begin
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/setup
  both    200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/register
  both    403 registration_closed: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/verify
  both    200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/reset
  both    200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/magic
  both    403 conflict: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/factor
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 401 text/html: POST form
/auth/passkey
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 401 unauthenticated: POST form
/auth/prove
  home    302 /auth/login: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed  302 /auth/me: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/auth/me
  both    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/account
  both    404 not_found
/auth/account/profile
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/email
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/password
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/add_totp
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/confirm_totp
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/remove_totp
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/renew_recovery_codes
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/add_passkey
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/rename_passkey
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/remove_passkey
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/revoke_consent
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/make_token
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/revoke_token
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/unlink
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/revoke
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/revoke_all
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
/auth/account/x
  both    404 not_found
/auth/stop_impersonating
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/me: POST form
/auth/consent
  both    404 not_found
/auth/consent/
  both    404 not_found
/auth/consent/x
  home    400 invalid_request: GET | 415 unsupported_media_type: POST json | 303 /auth/consent/x: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed  404 not_found
/auth/consent/x/y
  both    404 not_found
/auth/style.css
  both    200 text/css: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/passkeys.js
  both    200 text/javascript: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/theme.css
  both    200 text/css: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/logo.svg
  both    404 not_found: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/icon.svg
  both    200 image/svg+xml: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/forward
  both    400 bad_request: GET | 405 allow GET, HEAD: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/forward/
  both    400 bad_request
/auth/forward/x
  both    400 bad_request
/auth/forwards
  both    404 not_found
/authx
  both    service
/login
  home    302 /auth/login?…: GET | 400 invalid_params: POST json | 415 unsupported_media_type: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed  302 /auth/login?…: GET | 404 not_found: POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
/login/
  both    service
/login/x
  both    service
/LOGIN
  both    service
/logout
  both    302 /auth/logout: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/logout/
  both    service
/register
  home    service: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_params: POST json | 415 unsupported_media_type: POST form
  routed  service
/register/
  both    service
/validate
  home    service: GET, PUT, DELETE, PATCH, OPTIONS | 200 application/json: POST json | 415 unsupported_media_type: POST form
  routed  service
/validate/x
  both    service
/oauth
  both    service
/oauth/
  both    service
/oauth/x
  both    service
/oauth/callback
  both    400 flow_over: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/oauth/callback/
  both    400 flow_over: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/oauth/callback/x
  both    400 flow_over: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/oauth/callback/x/y
  both    400 flow_over: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/oauth/introspect
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed  service
/oauth/revoke
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed  service
/oauth/par
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed  service
/oauth/par/
  both    service
/oauth/device
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed  service
/oauth/register
  home    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_redirect_uri: POST json | 415 unsupported_media_type: POST form
  routed  service
/oauth/register/x
  both    service
/oauth/logout
  home    200 text/html: GET | 303 /oauth/logout?…: POST json, POST form | 405 allow GET, OPTIONS, POST: PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  service
/oauth/logout/x
  both    service
/oauth/logout/confirm
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed  service
/oauth/logout/success
  home    200 text/html: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  service
/oauth/backchannel_logout
  home    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_request: POST json, POST form
  routed  service
/authorize
  home    400 invalid_request: GET | 303 /authorize?…: POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed  404 not_found
/authorize/
  both    service
/authorize/x
  home    400 invalid_request: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  service
/authorize/x/
  both    service
/authorize/x/y
  both    service
/token
  home    405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 401 invalid_client: POST json | 400 invalid_request: POST form | 404 text/plain: OPTIONS
  routed  404 not_found
/token/
  both    service
/token/x
  both    service
/userinfo
  home    401 invalid_token: GET, POST form | 400 invalid_request: POST json | 405 allow GET, OPTIONS, POST: PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  404 not_found
/userinfo/x
  both    service
/device
  home    200 text/html: GET | 400 text/html: POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed  service
/device/
  both    service
/device/x
  home    400 text/html: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  service
/device/x/y
  both    service
/.well-known
  both    service
/.well-known/
  both    404 not_found
/.well-known/x
  both    404 not_found
/.well-known/jwks.json
  both    200 application/jwk-set+json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.well-known/jwks.json/x
  both    404 not_found
/.well-known/openid-configuration
  home    200 application/json: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  404 not_found
/.well-known/openid-configuration/x
  both    404 not_found
/.well-known/oauth-authorization-server
  home    200 application/json: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed  404 not_found
/rpc
  both    405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 200 application/json: POST json | 415 unsupported_media_type: POST form
/rpc/
  both    service
/rpc/x
  both    service
/openrpc.json
  both    200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/openrpc.json/x
  both    service
/health
  home    200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed  service
/livez
  home    200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed  service
/livez/
  both    service
/readyz
  home    200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed  service
/health/
  both    service
/mcp
  both    404 not_found
/mcp/
  both    404 not_found
/mcp/x
  both    404 not_found
/mcpx
  both    service
/admin
  both    404 not_found
/admin/
  both    404 not_found
/admin/x/y
  both    404 not_found
/metrics
  both    404 not_found
/metrics/
  both    service
/metrics/x
  both    service
/
  both    service
/x
  both    service
`
