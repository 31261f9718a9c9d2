/**
 * What a guest gets at every own path and at similar paths: `service` where the request is forwarded by the route of the host.
 * Home is the host of the public URL, with a route that lets everybody in. `none` and `optional` are the hosts of services whose
 * routes have these modes; under `optional`, the usual names of sign-in pages are ours. `routed` stands for both, `every` for all.
 */
export const ownPathAnswers = `
/auth
  home      302 /auth/me: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/
  home      404 not_found
  routed    service
/auth/x
  home      404 not_found
  routed    service
/auth/login
  home      200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  none      service
  optional  401 unauthenticated: GET | service: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/login/
  home      404 not_found
  routed    service
/auth/login/x
  home      404 not_found
  routed    service
/auth/switch
  home      302 /auth/login?…: GET | 415 unsupported_media_type: POST json | 200 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/logout
  home      200 text/html: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  none      service
  optional  401 unauthenticated: GET | service: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/link
  home      400 flow_over: GET | 415 unsupported_media_type: POST json | 303 /auth/me: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/link/begin
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/setup
  home      410 dead_link: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/register
  home      403 registration_closed: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/verify
  home      410 dead_link: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/reset
  home      200 text/html: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/magic
  home      403 conflict: GET | 415 unsupported_media_type: POST json | 400 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/elsewhere
  home      200 text/html: GET | 415 unsupported_media_type: POST json | 409 text/html: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/elsewhere/wait
  home      200 text/html: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/elsewhere/enter
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 409 text/html: POST form
  routed    service
/auth/elsewhere/open
  home      302 /auth/login?…: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/elsewhere/approve
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/not_me
  home      410 dead_link: GET, POST form | 415 unsupported_media_type: POST json | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/reopen
  home      410 dead_link: GET, POST form | 415 unsupported_media_type: POST json | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/factor
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 401 text/html: POST form
  routed    service
/auth/passkey
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 401 unauthenticated: POST form
  routed    service
/auth/passkey/begin
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 404 not_found: POST form
  routed    service
/auth/passkey/arrive
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/passkey_options
  home      200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/prove
  home      302 /auth/login: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/me
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  none      service
  optional  401 unauthenticated: GET | service: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/services
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/ask
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/groups
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/profile
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/security
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/passkeys
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/sessions
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/applications
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/tokens
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/data
  home      401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account
  home      404 not_found
  routed    service
/auth/account/approve_request
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/refuse_request
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/add_member
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/withdraw_request
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/remove_member
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/profile
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/details
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/picture
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/remove_picture
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/export
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/close_account
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/email
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/password
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/add_totp
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/confirm_totp
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/remove_totp
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/renew_recovery_codes
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/add_passkey
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/rename_passkey
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/remove_passkey
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/revoke_consent
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/make_token
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form
  routed    service
/auth/account/revoke_token
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/unlink
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/revoke
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/revoke_all
  home      401 unauthenticated: GET | 415 unsupported_media_type: POST json | 303 /auth/login?…: POST form | 405 allow POST, GET: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/account/x
  home      404 not_found
  routed    service
/auth/stop_impersonating
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/me: POST form
  routed    service
/auth/consent
  home      404 not_found
  routed    service
/auth/consent/
  home      404 not_found
  routed    service
/auth/consent/x
  home      400 invalid_request: GET | 415 unsupported_media_type: POST json | 303 /auth/consent/x: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/consent/x/y
  home      404 not_found
  routed    service
/auth/style.css
  home      404 not_found
  routed    service
/auth/passkeys.js
  home      200 text/javascript: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/sign_in.js
  home      200 text/javascript: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/manifest.webmanifest
  home      200 application/manifest+json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/picture.js
  home      200 text/javascript: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/pictures
  home      404 not_found
  routed    service
/auth/pictures/x
  home      404 not_found: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/icons/x
  home      404 not_found: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/copy.js
  home      200 text/javascript: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/auth/theme.css
  home      404 not_found
  routed    service
/auth/logo.svg
  home      404 not_found
  routed    service
/auth/icon.svg
  home      404 not_found
  routed    service
/auth/come_back
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 415 unsupported_media_type: POST json | 303 /auth/services: POST form
  routed    service
/auth/forward
  every     400 bad_request: GET | 405 allow GET, HEAD: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/auth/forward/
  every     400 bad_request
/auth/forward/x
  every     400 bad_request
/auth/forwards
  home      404 not_found
  routed    service
/authx
  every     service
/login
  home      302 /auth/login?…: GET | 400 invalid_params: POST json | 415 unsupported_media_type: POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  none      service
  optional  401 unauthenticated: GET | service: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/login/
  every     service
/login/x
  every     service
/LOGIN
  every     service
/logout
  home      302 /auth/logout: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  none      service
  optional  401 unauthenticated: GET | service: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/logout/
  every     service
/register
  home      service: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_params: POST json | 415 unsupported_media_type: POST form
  routed    service
/register/
  every     service
/validate
  home      service: GET, PUT, DELETE, PATCH, OPTIONS | 200 application/json: POST json | 415 unsupported_media_type: POST form
  routed    service
/validate/x
  every     service
/oauth
  every     service
/oauth/
  home      404 not_found
  routed    service
/oauth/x
  home      404 not_found
  routed    service
/oauth/callback
  home      400 flow_over: GET, POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/oauth/callback/
  home      400 flow_over: GET, POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/oauth/callback/x
  home      400 flow_over: GET, POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/oauth/callback/x/y
  home      400 flow_over: GET, POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/oauth/introspect
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed    service
/oauth/revoke
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed    service
/oauth/par
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed    service
/oauth/par/
  home      404 not_found
  routed    service
/oauth/device
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed    service
/oauth/register
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_redirect_uri: POST json | 415 unsupported_media_type: POST form
  routed    service
/oauth/register/x
  home      404 not_found
  routed    service
/oauth/logout
  home      303 http://localhost:9997/oauth/logout/success: GET | 303 /oauth/logout?…: POST json, POST form | 405 allow GET, OPTIONS, POST: PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/oauth/logout/x
  home      404 not_found
  routed    service
/oauth/logout/confirm
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 400 invalid_request: POST json, POST form | 404 text/plain: OPTIONS
  routed    service
/oauth/logout/success
  home      200 text/html: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/oauth/backchannel_logout
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 400 invalid_request: POST json, POST form
  routed    service
/authorize
  home      400 invalid_request: GET | 303 /authorize?…: POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/authorize/
  every     service
/authorize/x
  home      400 invalid_request: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/authorize/x/
  every     service
/authorize/x/y
  every     service
/token
  home      405 allow POST, OPTIONS: GET, PUT, DELETE, PATCH | 401 invalid_client: POST json | 400 invalid_request: POST form | 404 text/plain: OPTIONS
  routed    service
/token/
  every     service
/token/x
  every     service
/userinfo
  home      401 invalid_token: GET, POST form | 400 invalid_request: POST json | 405 allow GET, OPTIONS, POST: PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/userinfo/x
  every     service
/device
  home      200 text/html: GET | 400 text/html: POST json, POST form | 405 allow GET, POST: PUT, DELETE, PATCH, OPTIONS
  routed    service
/device/
  every     service
/device/x
  home      400 text/html: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/device/x/y
  every     service
/.well-known
  every     service
/.well-known/
  home      404 not_found
  routed    service
/.well-known/x
  home      404 not_found
  routed    service
/.well-known/change-password
  home      302 /auth/security: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/.well-known/jwks.json
  home      200 application/jwk-set+json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/.well-known/jwks.json/x
  home      404 not_found
  routed    service
/.well-known/openid-configuration
  home      200 application/json: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/.well-known/openid-configuration/x
  home      404 not_found
  routed    service
/.well-known/oauth-authorization-server
  home      200 application/json: GET | 405 allow GET, OPTIONS: POST json, POST form, PUT, DELETE, PATCH | 404 text/plain: OPTIONS
  routed    service
/.well-known/webfinger
  home      400 bad_request: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/favicon.ico
  home      200 image/vnd.microsoft.icon: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/robots.txt
  home      200 text/plain: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/rpc
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 200 application/json: POST json | 415 unsupported_media_type: POST form
  routed    service
/rpc/
  every     service
/rpc/x
  every     service
/openrpc.json
  home      200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/openrpc.json/x
  every     service
/health
  home      200 application/json: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
  routed    service
/health/
  every     service
/mcp
  home      404 not_found
  routed    service
/mcp/
  home      404 not_found
  routed    service
/mcp/x
  home      404 not_found
  routed    service
/mcpx
  every     service
/admin
  home      404 not_found
  routed    service
/admin/
  home      404 not_found
  routed    service
/admin/x/y
  home      404 not_found
  routed    service
/metrics
  every     service
/metrics/
  every     service
/metrics/x
  every     service
/api/v1
  home      404 not_found
  routed    service
/api/v1/x
  home      404 not_found
  routed    service
/.hero_proxy
  every     404 not_found
/.hero_proxy/
  every     404 not_found
/.hero_proxy/sign_in
  home      404 not_found
  routed    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/sign_in/
  every     404 not_found
/.hero_proxy/sign_in/stuck
  home      404 not_found
  routed    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/sign_in/x
  every     404 not_found
/.hero_proxy/arrive
  home      404 not_found
  routed    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/sign_out
  home      404 not_found
  routed    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/me
  home      404 not_found
  routed    401 unauthenticated: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/cookies
  home      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 403 cross_origin: POST json | 303 http://localhost:9997/: POST form
  none      405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 403 cross_origin: POST json | 303 http://none.localhost:9997/: POST form
  optional  405 allow POST: GET, PUT, DELETE, PATCH, OPTIONS | 403 cross_origin: POST json | 303 http://optional.localhost:9997/: POST form
/.hero_proxy/style.css
  every     200 text/css: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/theme.css
  every     200 text/css: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/logo.svg
  every     404 not_found: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/icon.svg
  every     200 image/svg+xml: GET | 405 allow GET: POST json, POST form, PUT, DELETE, PATCH, OPTIONS
/.hero_proxy/x
  every     404 not_found
/.HERO_PROXY/me
  every     404 not_found
/%2ehero_proxy/me
  every     404 not_found
//.hero_proxy/me
  every     404 not_found
/.hero_proxy;x/me
  every     404 not_found
/.hero_proxy%2fme
  every     404 not_found
/.hero_proxyx
  every     service
/
  every     service
/x
  every     service
`
