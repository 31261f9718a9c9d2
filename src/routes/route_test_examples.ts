import type { Trial, TrialParams } from './route_test.ts'

const url = 'http://wiki.localhost/pages?q=x'
const route = '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a41'

const passes: Trial = {
  act: 'forward',
  status: null,
  check: null,
  why: 'auth_mode local: linus is signed in',
  route,
  upstream: 'http://127.0.0.1:3000',
  target: '/pages?q=x',
  headers: [
    { name: 'Host', value: 'wiki.localhost' },
    { name: 'X-Forwarded-For', value: '127.0.0.1' },
    { name: 'X-Forwarded-Proto', value: 'http' },
    { name: 'X-Forwarded-Host', value: 'wiki.localhost' },
    { name: 'X-Request-Id', value: '(one for each request)' },
    { name: 'X-Proxy-Auth-Method', value: 'local' },
    { name: 'X-Hero-User', value: 'linus' },
    { name: 'X-Hero-Context', value: '1' },
    {
      name: 'X-Hero-Claims',
      value: 'engineers.tickets.read,groups.engineers,groups.interns,users.linus,wiki.pages.write',
    },
  ],
  location: null,
}

const sentToSignIn: Trial = {
  act: 'redirect',
  status: 302,
  check: 'sign_in',
  why: 'auth_mode local: nobody is signed in',
  route,
  upstream: null,
  target: null,
  headers: [],
  location: 'http://wiki.localhost:9997/.hero_proxy/sign_in?return_to=%2Fpages%3Fq%3Dx',
}

export const trialExamples: [{ params: TrialParams; result: Trial }, { params: TrialParams; result: Trial }] =
  [
    { params: { url, user: 'linus' }, result: passes },
    { params: { url }, result: sentToSignIn },
  ]
