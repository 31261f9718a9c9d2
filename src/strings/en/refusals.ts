import { formatsOf } from '../formats.ts'

const { choice, time, wait } = formatsOf('en')

export interface Notice {
  readonly title: string
  readonly text: string
}

type Provider = { readonly provider: string }

const signatureFaults = {
  missing: 'The request has no signature.',
  used: 'This nonce was already used.',
  pubkey: 'X-Signature-Pubkey must be one secp256k1 key in hex: 33 bytes compressed, or 65 bytes.',
  signature: 'X-Signature must be one signature in hex: r and s, 64 bytes, with the lower s.',
  timestamp: 'X-Signature-Timestamp must be one Unix time in seconds.',
  nonce: 'X-Signature-Nonce must be one text of 16 to 64 URL-safe characters.',
  time: 'X-Signature-Timestamp is more than 60 seconds away from the time here.',
  unknown_key: 'This key belongs to nobody here.',
  wrong: 'The signature does not match this key and this request.',
}

const invalid: Readonly<Record<string, string>> = {
  username:
    'Choose another username. Use 1 to 63 letters, digits, “_” and “-”, and start with a letter or digit.',
  email: 'Enter an email address such as ada@example.org.',
  password: 'Enter a password.',
  current_password: 'Enter your current password.',
  display_name: 'Enter a name of at most 200 characters on one line.',
  name: 'Enter a name on one line that is not too long.',
  code: 'Enter a code of six digits, or a recovery code.',
  expires_in: 'Choose a shorter time, of at least one day.',
  login: 'Enter your username or email address.',
}

const taken: Readonly<Record<string, string>> = {
  username: 'This username is already taken.',
  email: 'This email address is already in use.',
  attestation: 'This passkey is already registered.',
  subject: 'This account is already linked.',
}

/** Why something was not done, by the codes and reasons of refusals; and what else a page says and offers nothing more. */
export const refusals = {
  /** Of one form or call, in a sentence: by `data.reason`, or by `data.code` where there is none. */
  problems: {
    no_self_delete: 'The people who run this site delete accounts. Ask them.',
    no_picture:
      'This is not a picture that we can take: a PNG, JPEG or WebP of at most 512 KB and 4,096 pixels a side.',
    ask_over: 'This page is too old, or it was made for somebody else. Open the service again.',
    ask_not_needed: 'You can open this already.',
    ask_useless: 'You are in the group already, and it does not open this. Ask the people who run this site.',
    ask_waiting: 'You have asked for this already. Somebody will decide about it.',
    ask_refused: ({ until }: { until: number }) =>
      `This was refused. You can ask again after ${time(until)}.`,
    ask_too_many: ({ most }: { most: number }) =>
      `You already have ${most} open requests. Wait for an answer, or withdraw one.`,
    ask_gone: 'The service does not offer this any more. Refuse the request.',
    ask_own: 'Somebody else has to decide about your own request.',
    ask_decided: 'This was already decided.',
    parse_error: 'The request could not be read.',
    invalid_request: 'The request is not valid.',
    method_not_found: 'This action doesn’t exist.',
    invalid_params: ({ path }: { path?: string }) =>
      invalid[path ?? ''] ?? 'Something you entered is not valid. Check it and try again.',
    internal_error: 'Something went wrong on our side. Try again in a moment.',
    unauthenticated: 'Sign in and try again.',
    factor_required: 'A second step is needed to sign in.',
    session_changed: 'Somebody else has signed in in this browser since. Reload the page.',
    proof_required: 'Confirm it’s you first.',
    claim_required: 'You don’t have permission to do this.',
    not_found: 'This no longer exists.',
    already_exists: ({ path }: { path?: string }) => taken[path ?? ''] ?? 'This already exists.',
    conflict: 'This is not possible right now.',
    rate_limited: ({ retry_after }: { retry_after?: number }) =>
      retry_after === undefined
        ? 'Too many attempts. Try again later.'
        : `Too many attempts. Try again in ${wait(retry_after)}.`,
    unavailable: 'This is temporarily unavailable. Try again in a moment.',

    administrator_ends: 'The account of an administrator can’t end at a time.',
    invitation_over: 'This invitation is over. Ask for another one.',
    account_ended: 'Your account has ended. If it should go on, ask the people who run this site.',
    awaits_approval: 'Somebody must still approve your registration. You will get a mail.',
    wrong_login: 'Wrong username, email or password.',
    wrong_password: 'The password is wrong.',
    wrong_current_password: 'Your current password is wrong.',
    wrong_code: 'This code is wrong or was already used.',
    password_length: ({ least, most }: { least: number; most: number }) =>
      `Choose a password of ${least} to ${most} characters.`,
    password_guessable:
      'This password is too easy to guess. Choose a longer one, or several unrelated words.',
    username_reserved: 'This username is reserved. Choose another one.',
    factor_needed: 'Confirm with a code or a passkey: your account has two-step verification.',
    passkey_refused: 'This passkey was not accepted.',
    key_not_alone:
      'This key has no PIN, so it cannot sign you in by itself. Sign in another way first, then use it as your second step.',
    passkey_used: 'This passkey response was already used. Try again.',
    passkey_of_another: 'This passkey belongs to another account.',
    too_many_passkeys: ({ most }: { most: number }) => `You already have ${most} passkeys. Remove one first.`,
    address_too_new: ({ at }: { at: number }) =>
      `You changed your email address a short while ago. You can add your first second factor from ${time(at)} on; until then, the previous address can take the change back. An administrator can help sooner.`,
    address_needed:
      'Add an email address to your account first, or ask an administrator. Before your first second factor, a code is mailed to you.',
    enrolment_link_needed:
      'Your first second factor takes a link from an administrator. Ask for one, and open it while you are signed in.',
    no_mail:
      'No code can be mailed to you: your account has no confirmed address, or this site sends no mail.',
    wrong_mailed_code:
      'This code is wrong, too old, or was asked for in another browser. Ask for a new one, or open the link in the mail.',
    dead_link: 'This link no longer works. It was used, has expired, or was replaced by a newer one.',
    dead_setup_link: 'This set-up link no longer works. Restart hero_proxy to get a new one.',
    already_set_up: 'An administrator already exists. Sign in, or ask an administrator for help.',
    set_up_before: 'This site was set up before. Its operator can run `hero-proxy setup`.',
    session_ended: 'Your session has ended. Sign in again.',
    registration_closed: 'You can’t create an account here yourself. Ask an administrator for one.',
    invitation_needed: 'You need an invitation to create an account here. Ask an administrator for one.',
    address_taken: 'This address now belongs to another account.',
    magic_links_off: 'Signing in by email is not available here.',
    elsewhere_off: 'Signing in with another device is turned off here.',
    elsewhere_unsure:
      'Here nobody can tell from which network you come, so one device can’t sign in another. Sign in another way. If you run this site: docs/operating/behind-a-proxy.md says why.',
    elsewhere_weak:
      'Another device opened this sign-in, so it can’t sign in others. Use a phone on which you signed in yourself.',
    elsewhere_over: 'This request is over. Begin again in the browser that you want to sign in.',
    elsewhere_taken:
      'Another phone has opened this QR code before. Begin again in the browser that you want to sign in.',
    elsewhere_digits: 'The browser shows other digits, so nobody was signed in. Begin again there.',
    elsewhere_network:
      'The browser is in another network than this phone, so nobody was signed in. If you don’t see it in front of you, somebody else tried to sign in as you.',
    elsewhere_family:
      'The browser and this phone reach this site in different ways, over IPv4 and IPv6, so nobody can tell whether they are in the same network. Use a passkey or a code by email in that browser.',
    elsewhere_proves_nothing: 'Another device opened this sign-in. To do this, sign in here yourself.',
    impersonating: ({ user }: { user: string }) =>
      `You are impersonating ${user}. Stop impersonating first, then try again.`,
    app_exists: 'You already have an authenticator app. Remove it first.',
    app_not_begun: 'Start adding the authenticator app again.',
    no_factor: 'Add an authenticator app or a passkey first.',
    too_many_tokens: ({ most }: { most: number }) => `You already have ${most} tokens. Revoke one first.`,
    last_administrator: 'The last active administrator can’t be removed, deactivated or demoted.',
    last_way_in:
      'This is your last way to sign in. Set a password, add a passkey or link another account first.',
    other_address: ({ title }: { title: string }) =>
      `${title} has verified a different address than yours. You can only link an account with the same address.`,
    too_many_flows: 'Too many sign-ins were started and not finished. Try again in a minute.',
    form_too_old: 'This page was open for too long. Enter your password again.',
    flow_over: 'This took too long or was already finished. Start again.',
    damaged:
      'The database is damaged. Nothing can be changed until an administrator restores it from a backup.',
  },

  /** Of a whole page. Programs get the English words as problem details. */
  notices: {
    // A service behind us.
    upstream_unreachable: {
      title: 'The service is not responding',
      text: 'It is down or can’t be reached right now. Try again in a moment.',
    },
    upstream_timeout: {
      title: 'The service took too long',
      text: 'It didn’t respond in time. Try again in a moment.',
    },
    upload_stalled: { title: 'Your upload stalled', text: 'We received no more data for a minute.' },
    content_too_large: { title: 'Too large', text: 'This service doesn’t accept requests of this size.' },
    access_ended: {
      title: 'You no longer have access',
      text: 'Your access ended while the service was still working on this request.',
    },
    loop_detected: {
      title: 'This address leads in a circle',
      text: 'The service behind this address sends requests back here. An administrator can correct the route.',
    },
    ambiguous_path: {
      title: 'Ambiguous path',
      text: 'Different services could claim this path, or it can be read in too many ways.',
    },
    foreign_page: {
      title: 'Connection refused',
      text: 'A page of another site tried to connect with your sign-in.',
    },

    // Who may pass.
    sign_in_needed: {
      title: 'Sign in to continue',
      text: 'You need to sign in to use this service.',
    },
    no_way_in: {
      title: 'You can’t sign in here',
      text: 'This service requires a known person, but accepts no way to sign in.',
    },
    proof_needed: ({ proof }: { proof: 'any' | 'second' | 'passkey' }) => ({
      title: 'Confirm it’s you',
      text: {
        any: 'This service wants you to confirm who you are again.',
        second:
          'This service wants a second factor: a code of your authenticator app, a security key or a passkey.',
        passkey: 'This service wants a passkey.',
      }[proof],
    }),
    proof_of_token: {
      title: 'This token is not enough',
      text: 'This service wants a person who has just confirmed who they are, and the token does not show that. Use an access token with a new sign-in, or open the service in a browser.',
    },
    token_needed: {
      title: 'Token required',
      text: 'This service is for programs. Send Authorization: Bearer with a valid token.',
    },
    token_names_nobody: {
      title: 'This token is not enough',
      text: 'This service requires a claim or an email address, and a static token has neither. Use the access token of a person.',
    },
    scope_too_small: {
      title: 'This token is read-only',
      text: 'Create a token with the scope write.',
    },
    provider_needed: {
      title: 'Sign in to continue',
      text: 'You need to sign in with an identity provider to use this service.',
    },
    provider_missing: ({ provider }: { provider: string | null }) => ({
      title: 'You can’t sign in yet',
      text:
        provider === null
          ? 'This service requires an identity provider to sign in with, and none is set up or turned on here. An administrator can change that, or give the route another auth_mode.'
          : `This service requires you to sign in with the identity provider ${provider}, which is not set up here or is turned off. An administrator can change that, or give the route another auth_mode.`,
    }),
    not_signed: ({ fault }: { fault: keyof typeof signatureFaults }) => ({
      title: 'Signature required',
      text: `${signatureFaults[fault]} This service accepts signed requests: X-Signature-Pubkey, X-Signature, X-Signature-Timestamp and X-Signature-Nonce, with ECDSA over secp256k1 and SHA-256. \`hero-proxy sign\` and the SDK create them.`,
    }),
    signer_inactive: {
      title: 'Account not active',
      text: 'The account that this key belongs to is not active.',
    },
    claim_missing: ({
      user,
      signed_in,
      impersonating,
      service,
      group,
      claims,
    }: {
      user: string
      /** Whether the person signed in, in contrast to a person known by a token, a key or a network. */
      signed_in: boolean
      impersonating: boolean
      /** The service and the group whose members it is open to; null if another rule decides. */
      service: string | null
      group: string | null
      /** For administrators only. */
      claims: readonly string[]
    }) => ({
      title: 'No access',
      text: [
        `${impersonating ? 'You are impersonating' : signed_in ? 'You are signed in as' : 'You are known here as'} ${user}.`,
        group === null || service === null
          ? 'This account has no access to this page.'
          : `${service} is open to members of ${group}.`,
        ...(claims.length > 0 ? [`It requires the claim ${choice(claims)}.`] : []),
        ...(signed_in ? ['Your password was not wrong.'] : []),
        'An administrator can give you access.',
      ].join(' '),
    }),
    email_not_allowed: ({
      email,
      signed_in,
    }: {
      email: 'none' | 'not verified' | 'not listed'
      signed_in: boolean
    }) => ({
      title: 'No access',
      text: `This service is open to certain email addresses, and ${
        {
          none: 'you have none here',
          'not verified': 'yours is not verified',
          'not listed': 'yours is not one of them',
        }[email]
      }. ${signed_in ? 'Your password was not wrong. ' : ''}An administrator can change that.`,
    }),
    claims_too_large: {
      title: 'Too many claims',
      text: 'Your account has more claims than fit into one request. Ask an administrator.',
    },
    unavailable: {
      title: 'Temporarily unavailable',
      text: 'We can’t check your access right now. Try again in a moment.',
    },
    internal_error: {
      title: 'Something went wrong',
      text: 'hero_proxy failed to answer this request. An operator can find the cause in the log.',
    },

    // Requests that are not as they must be.
    bad_request: ({ detail }: { detail: string }) => ({ title: 'Bad request', text: detail }),
    not_found: { title: 'Page not found', text: 'There is no page at this address.' },
    method_not_allowed: ({ allow }: { allow: string }) => ({
      title: 'Method not allowed',
      text: `This address accepts ${allow}.`,
    }),
    not_json_rpc: { title: 'Not JSON', text: 'Send a JSON-RPC 2.0 message as application/json.' },
    not_json_object: { title: 'Not JSON', text: 'Send a JSON object as application/json.' },
    not_client_metadata: { title: 'Not JSON', text: 'Send the client metadata as application/json.' },
    not_a_form: {
      title: 'Not a form',
      text: 'This address accepts application/x-www-form-urlencoded. Programs call the methods at /rpc.',
    },
    misdirected: {
      title: 'Wrong connection',
      text: 'The browser opened this connection for another name. Load the page again.',
    },
    form_of_another: ({ user, present }: { user: string; present: string }) => ({
      title: `This page was made for ${user}`,
      text: `You are signed in as ${present} now, so nothing was changed. Open the page again.`,
    }),
    session_over: {
      title: 'You are no longer signed in',
      text: 'Your session has ended, so nothing was changed. Sign in to continue.',
    },
    dead_link: {
      title: 'This link no longer works',
      text: 'It was used, has expired, or was replaced by a newer one. Nothing has changed.',
    },
    foreign_form: {
      title: 'Please try again',
      text: 'This form has expired or did not come from this site. Allow cookies and open the page again.',
    },
    insecure_transport: {
      title: 'HTTPS is required to sign in',
      text: 'Over plain HTTP, others could read your password. Open this site with https, or at localhost. An operator who accepts the risk can turn on insecure_cookies.',
    },
    proxy_not_trusted: {
      title: 'This site is not set up completely',
      text: 'Your browser may use https, but the proxy that brought your request here is not trusted, so nobody can sign in. If you run this site: the log names the address to list in trusted_proxies. The code is proxy_not_trusted, explained in docs/operating/behind-a-proxy.md.',
    },
    body_too_large: ({ most }: { most: number }) => ({
      title: 'Too large',
      text: `The body of this request can hold at most ${most} bytes.`,
    }),
    body_too_slow: { title: 'Too slow', text: 'The body of the request didn’t arrive in time.' },
    body_broken: { title: 'Bad request', text: 'The body of the request was cut off.' },
    head_beyond_reading: {
      title: 'The request is too large',
      text: 'Its head is so large that nobody reads it. If you see this in a browser, clear the cookies of this site in its settings.',
    },
    head_too_large: ({ most, cookies }: { most: number; cookies: number }) =>
      cookies === 0
        ? { title: 'The request is too large', text: `The head of a request can hold at most ${most} bytes.` }
        : {
            title: 'Too many cookies',
            text: `Your browser sends ${cookies} ${cookies === 1 ? 'cookie' : 'cookies'} with each request here. Together they are larger than the ${most} bytes that a request can hold.`,
          },
    bodies_full: { title: 'Too busy', text: 'Too many requests are arriving. Try again in a moment.' },

    // Forward auth.
    may_not_ask: {
      title: 'Not allowed to ask',
      text: 'Forward auth answers only the proxies in forward_auth_from. The log names the address that asked.',
    },
    forward_auth_method: {
      title: 'Method not allowed',
      text: 'Ask forward auth with GET, and put the method in question into X-Forwarded-Method.',
    },
    own_path: {
      title: 'Not a path of the service',
      text: 'This path belongs to hero_proxy on every host. The proxy in front must send it to hero_proxy, not to the service.',
    },

    // Accounts.
    not_signed_in: { title: 'Not signed in', text: 'This needs a person who is signed in.' },
    /** Whatever the problem was: it stands in place of the text. */
    sign_in_failed: { title: 'Sign-in failed', text: '' },
    left_service: ({ host }: { host: string }) => ({
      title: 'Signed out',
      text: `You are signed out of ${host} in this browser. You stay signed in here and at other services.`,
    }),
    keeps_no_cookies: {
      title: 'Your browser did not keep the sign-in',
      text: 'You are signed in, but this site’s cookie did not come back. Allow cookies for this site, check that its address begins with https, and open it again. Safari keeps no such cookies at http://localhost: use another browser there.',
    },
    wrong_origin: ({ origin }: { origin: string }) => ({
      title: 'This page was opened at another address',
      text: `This site is known as ${origin}, but the request arrived in another way. A proxy in front of it may not say which address the browser used, or is not listed in trusted_proxies. An administrator finds the cause in the log under proxy_not_trusted.`,
    }),
    no_destination: {
      title: 'This address leads nowhere',
      text: 'The link to this page names a service that nobody signs in to here. Open the service again.',
    },
    registration_closed: {
      title: 'Registration is closed',
      text: 'Only administrators create accounts here.',
    },
    registration_by_invitation: {
      title: 'Invitation required',
      text: 'You need an invitation to create an account here.',
    },
    registration_waits: {
      title: 'Your account awaits approval',
      text: 'Somebody decides about each new account here. When yours is approved, you can sign in, and you get a mail if you gave an address.',
    },
    account_ready: { title: 'Your account is ready', text: 'Sign in with your username and password.' },
    check_email_to_confirm: {
      title: 'Check your email',
      text: 'We sent you a link. Open it to confirm your address and to choose a password.',
    },
    check_email: {
      title: 'Check your email',
      text: 'If there is an account with this address, we sent a link to it. It may take a minute to arrive.',
    },
    address_confirmed: ({ user }: { user: string }) => ({
      title: 'Address confirmed',
      text: `This is now the address of the account ${user}.`,
    }),
    account_closed: ({ at }: { at: number }) => ({
      title: 'Your account is deleted',
      text: `You are signed out everywhere. On ${time(at)} your account is gone. Until then, the link that we mailed you takes it back.`,
    }),
    account_closed_for_good: ({ at }: { at: number }) => ({
      title: 'Your account is deleted',
      text: `You are signed out everywhere. On ${time(at)} your account is gone. Until then, only the people who run this site can take it back.`,
    }),
    account_reopened: { title: 'Your account is back', text: 'It is switched on again. Sign in as before.' },
    ended_everywhere: ({ user }: { user: string }) => ({
      title: 'Signed out everywhere',
      text: `All sessions of the account ${user} have ended. Now choose a new password: we mail you a link for it. Then sign in and remove passkeys, authenticator apps and linked accounts that are not yours.`,
    }),
    address_restored: ({ user }: { user: string }) => ({
      title: 'Your address is back',
      text: `The account ${user} has this address again, and all its sessions have ended. Now choose a new password: we mail you a link for it. If you are then asked for a passkey or an app that is not yours, contact the people who run this site.`,
    }),
    address_of_another: ({ address }: { address: string }) => ({
      title: 'This address belongs to another account now',
      text: `The change cannot be taken back, because another account has the address ${address} by now. Nothing was changed. If this was your account, contact the people who run this site.`,
    }),
    ended_at_old_address: ({ user }: { user: string }) => ({
      title: 'Signed out everywhere',
      text: `All sessions of the account ${user} have ended. The account has another address now, so you cannot get a new password by mail: contact the people who run this site.`,
    }),
    password_set: { title: 'Your password is set', text: 'Sign in with your new password.' },
    magic_links_off: {
      title: 'Not available',
      text: 'Signing in by email is not available here.',
    },
    ask_over: {
      title: 'Please start again',
      text: 'This page is too old, was made for somebody else, or there is nothing to ask for any more. Open the service again.',
    },
    ask_not_now: { title: 'Not now', text: 'You cannot ask for this now.' },
    interaction_over: {
      title: 'Please start again',
      text: 'This sign-in took too long or was started in another browser. Go back to the application and try again.',
    },
    impersonating: ({ user }: { user: string }) => ({
      title: `Not while you impersonate ${user}`,
      text: 'You can only sign in to applications as yourself. Stop impersonating first.',
    }),

    // Identity providers.
    flow_over: {
      title: 'Please start again',
      text: 'This sign-in took too long, was already finished, or was started in another browser. Nothing has changed.',
    },
    provider_unreachable: ({ provider }: Provider) => ({
      title: `${provider} is not responding`,
      text: `We can’t reach ${provider} right now. Try again in a moment, or sign in another way.`,
    }),
    provider_slow: ({ provider }: Provider) => ({
      title: `${provider} took too long`,
      text: `${provider} didn’t respond in time. Try again in a moment, or sign in another way.`,
    }),
    provider_insecure: ({ provider }: Provider) => ({
      title: `${provider} could not be trusted`,
      text: `${provider} has no valid certificate right now, so we sent it nothing. Sign in another way, or tell an administrator.`,
    }),
    provider_local: ({ provider }: Provider) => ({
      title: `${provider} is at an address that we don’t contact`,
      text: `The address of ${provider} leads to this machine or its link. An administrator can allow that with providers_may_be_local.`,
    }),
    provider_too_large: ({ provider }: Provider) => ({
      title: `Unexpected response from ${provider}`,
      text: `${provider} sent far more than a response contains, so nobody was signed in. Sign in another way, or tell an administrator.`,
    }),
    provider_nonsense: ({ provider }: Provider) => ({
      title: `Unexpected response from ${provider}`,
      text: `${provider} didn’t respond the way an identity provider does, so nobody was signed in. Try again in a moment, or sign in another way.`,
    }),
    provider_untrusted: ({ provider }: Provider) => ({
      title: `${provider} could not prove who you are`,
      text: `We could not verify the response from ${provider}, so nobody was signed in. Try again. If that doesn’t help, tell an administrator.`,
    }),
    provider_client: ({ provider }: Provider) => ({
      title: `${provider} doesn’t know us`,
      text: `${provider} rejected our client_id or secret. An administrator can check with providers.test.`,
    }),
    provider_reported: ({ provider, reported }: { provider: string; reported: string }) => ({
      title: `${provider} reported an error`,
      text: `${provider} answered with the error “${reported}”, so nobody was signed in. Try again, or sign in another way. If it stays, tell an administrator.`,
    }),
    provider_busy: ({ provider }: Provider) => ({
      title: `${provider} is not available`,
      text: `${provider} says that it can’t sign anybody in at the moment. Try again in a moment, or sign in another way.`,
    }),
    provider_grant: ({ provider }: Provider) => ({
      title: 'Please start again',
      text: `${provider} says that this sign-in is over.`,
    }),
    provider_refused: ({ provider }: Provider) => ({
      title: 'Not signed in',
      text: `${provider} says that you stopped the sign-in or are not allowed to sign in.`,
    }),
    domain: ({ provider }: Provider) => ({
      title: 'Not with this address',
      text: `To sign in with ${provider}, you need a verified address in certain domains, and yours is not one of them. Use another account there, or ask an administrator.`,
    }),
    no_account: ({ provider }: Provider) => ({
      title: 'You have no account here',
      text: `No account here is linked to your ${provider} account, and signing in with it doesn’t create one. If you have an account here, sign in to it and link ${provider} on your account page. If not, ask an administrator.`,
    }),
    doubtful_address: ({ provider }: Provider) => ({
      title: 'Your address is not verified',
      text: `${provider} has not verified your address, or it is one that can’t be used here. Verify it there first.`,
    }),
    no_address: ({ provider }: Provider) => ({
      title: 'Your address is missing',
      text: `${provider} doesn’t share an address of yours, so we can’t confirm that the account here is yours too. Add one there, or ask an administrator to link the two.`,
    }),
    other_address: ({ provider }: Provider) => ({
      title: 'The addresses differ',
      text: `The address that ${provider} has verified is not the one that you have confirmed here. Change one of them, or ask an administrator to link the two.`,
    }),
    inactive: (_: Provider) => ({
      title: 'Account not active',
      text: 'The account that this belongs to is not active here. Ask an administrator.',
    }),
    linked_already: ({ provider }: Provider) => ({
      title: 'Already linked',
      text: `This ${provider} account is already linked to yours.`,
    }),
    of_somebody_else: ({ provider }: Provider) => ({
      title: 'Linked to another account',
      text: `This ${provider} account is linked to another account here. If that one is yours too, sign in to it and unlink ${provider} there.`,
    }),
    unproven: ({ provider }: Provider) => ({
      title: `${provider} didn’t ask who you are`,
      text: `You were already signed in at ${provider}, which doesn’t prove that it’s you now. Confirm it another way.`,
    }),
  },

  links: {
    ask: 'Ask for access',
    sign_in: 'Sign in',
    try_again: 'Try again',
    your_services: 'Your services',
    your_account: 'Your account',
    other_ways: 'Other ways to sign in',
    other_proofs: 'Other ways to confirm',
    prove: 'Confirm it’s you',
    sign_in_and_continue: 'Sign in and continue',
    new_link: 'Ask for a new link',
    new_password: 'Choose a new password',
    switch_account: 'Switch account',
    back: 'Back',
  },
  /** Before the link to the public URL, at an address that no service uses. */
  clear_cookies: {
    ours: 'Clear the cookies of sign-in',
    ours_hint: 'You may have to sign in again.',
    all: 'Clear all cookies of this site',
    all_hint: 'The service may forget who you are and what you chose.',
  },
  home_is: 'At this server you sign in and find your services at',
  /** Under a notice, for people who ask for help. */
  error_number: ({ status }: { status: number }) => `Error ${status}`,
}
