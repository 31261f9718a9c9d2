/** A branch of a flow: its condition, and what happens then. */
interface Branch {
  readonly when: string
  readonly outcome: string
}

interface Step {
  /** The folder or file below src/, or an actor outside it. */
  readonly at: string
  readonly does: string
  readonly branch?: Branch
}

export interface Flow {
  /** The picture is docs/pictures/flow_NAME.svg. */
  readonly name: string
  readonly title: string
  readonly steps: readonly Step[]
}

/** The flows in docs/architecture.md. The pictures are drawn from this description. */
export const flows: readonly Flow[] = [
  {
    name: 'browser_request',
    title: 'A browser requests a page of a service',
    steps: [
      {
        at: 'edge/serve',
        does: 'Reads one request and limits its size and its time.',
        branch: { when: 'malformed', outcome: '400, 408 or 431; the connection closes' },
      },
      {
        at: 'edge/door.ts',
        does: 'Asks whether the path is one of our own.',
        branch: { when: 'own path', outcome: 'pages/, rpc/ or rest/ answers' },
      },
      {
        at: 'routes/',
        does: 'Finds the route in memory: the host first, then the longest path prefix.',
        branch: { when: 'no route', outcome: '404' },
      },
      {
        at: 'edge/decide',
        does: 'Runs the checks in order: who is asking, by the credentials that the auth mode accepts, then claims and addresses.',
        branch: { when: 'refused', outcome: 'a page for people, problem details for programs' },
      },
      {
        at: 'edge/forward',
        does: 'Builds the forwarded request: removes every identity header that came in, then adds ours.',
      },
      {
        at: 'upstream/',
        does: 'Chooses a healthy upstream and a kept connection. Bodies stream both ways.',
        branch: { when: 'unreachable', outcome: '502, 503 or 504' },
      },
      { at: 'the service', does: 'Reads X-Hero-User, X-Hero-Context and X-Hero-Claims.' },
    ],
  },
  {
    name: 'rpc_call',
    title: 'A program calls users.add',
    steps: [
      {
        at: 'rpc/socket.ts',
        does: 'Reads a line or an HTTP request. The kernel identifies the process; a bearer token takes precedence.',
        branch: { when: 'invalid token', outcome: 'unauthenticated' },
      },
      {
        at: 'rpc/envelope.ts',
        does: 'Reads the JSON-RPC message or batch.',
        branch: { when: 'not JSON-RPC', outcome: 'parse_error or invalid_request' },
      },
      {
        at: 'rpc/dispatcher.ts',
        does: 'Finds the method, checks its claim rule, and validates the parameters.',
        branch: { when: 'refused', outcome: 'an error with data.code; audited' },
      },
      { at: 'users/methods.ts', does: 'Does its work in the room: users/users.ts.' },
      {
        at: 'storage/',
        does: 'Writes the change and its audit entry in one transaction.',
        branch: { when: 'failed', outcome: 'both are rolled back' },
      },
      {
        at: 'rpc/dispatcher.ts',
        does: 'Validates the result: fields that the schema does not name cannot leave.',
      },
    ],
  },
  {
    name: 'sign_in',
    title: 'A person signs in',
    steps: [
      {
        at: 'pages/sign_in or auth/',
        does: 'Takes the proof: password, passkey, mailed link, set-up link, or the callback of a provider.',
      },
      {
        at: 'attempts/',
        does: 'Counts a guess before it is checked, by account and by network.',
        branch: { when: 'too many', outcome: 'rate_limited' },
      },
      {
        at: 'passwords/, factors/, federation/',
        does: 'Checks the proof. Unknown people cost the same work and get the same answer.',
        branch: { when: 'wrong', outcome: 'unauthenticated' },
      },
      {
        at: 'auth/sign_in.ts',
        does: 'Asks whether the account may sign in and whether a second factor is due.',
        branch: { when: 'factor due', outcome: 'half a sign-in, for five minutes' },
      },
      {
        at: 'sessions/',
        does: 'Opens the session with a new random value, of which it stores the hash.',
      },
      { at: 'audit/', does: 'Adds the entry in the same transaction.' },
    ],
  },
  {
    name: 'handover',
    title: 'A guest opens a page of a service',
    steps: [
      {
        at: 'edge/decide',
        does: 'Finds no session that counts, and sends the guest to /.hero_proxy/sign_in of the same host.',
        branch: { when: 'a program', outcome: '401 with the address where a person signs in' },
      },
      {
        at: 'pages/handover/at_service.ts',
        does: 'Gives the browser an arrival cookie, and sends it home with the address of the page and the hash of the cookie.',
        branch: { when: 'no navigation of a person', outcome: '401, signed in or not' },
      },
      {
        at: 'pages/handover/at_home.ts',
        does: 'Checks that the address is the origin of a route that takes sessions, and looks for a sign-in in this browser.',
        branch: { when: 'nobody is signed in', outcome: 'the sign-in page, which comes back here' },
      },
      {
        at: 'handover/codes.ts',
        does: 'Makes a one-time code for this sign-in, page and arrival cookie, and sends the browser back with it.',
      },
      {
        at: 'handover/arrivals.ts',
        does: 'Uses the code up, and compares origin, arrival cookie and route in the same transaction.',
        branch: { when: 'something differs', outcome: 'it begins again, once; then a page says why' },
      },
      {
        at: 'sessions/child_sessions.ts',
        does: 'Opens the session of this host. Everything about the person is read from the sign-in, and ends with it.',
      },
    ],
  },
  {
    name: 'caches',
    title: 'A change reaches every cache',
    steps: [
      { at: 'a room', does: 'Changes its tables inside a transaction.' },
      {
        at: 'storage/',
        does: 'Raises the revision of each subject (users, sessions, routes …) in the same transaction.',
        branch: { when: 'rolled back', outcome: 'nothing has changed' },
      },
      {
        at: 'the database',
        does: 'Commits. Each process sees it: in the write-ahead log with SQLite, by NOTIFY with PostgreSQL.',
        branch: { when: 'silence', outcome: 'PostgreSQL: after a second, caches ask the database' },
      },
      {
        at: 'storage/cached.ts',
        does: 'Compares revisions before each use.',
        branch: { when: 'unchanged', outcome: 'the cached value, without a query' },
      },
      { at: 'a room', does: 'Reads the value again and keeps it with the revision that it was read at.' },
      {
        at: 'edge/decide',
        does: 'Decides about open connections again, within a second.',
        branch: { when: 'refused now', outcome: 'the connection is closed' },
      },
    ],
  },
]
