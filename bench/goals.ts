/** The goal for a figure. */
export interface Goal {
  readonly better: 'more' | 'less'
  readonly must?: number
  readonly aim?: number
}

const more = (must?: number, aim?: number): Goal => ({ better: 'more', must, aim })
const less = (must?: number, aim?: number): Goal => ({ better: 'less', must, aim })

/** By measurement and figure: ratios within one run, memory, and times with a goal. */
export const goals: Readonly<Record<string, Readonly<Record<string, Goal>>>> = {
  edge: {
    vs_nginx_auth_request: more(1.8, 2.5),
    vs_nginx_asking_nginx: more(),
    vs_caddy_forward_auth: more(9, 10),
    vs_nginx: more(0.65, 0.75),
    tcp_vs_nginx: more(),
    vs_haproxy: more(),
    vs_caddy: more(),
    memory_mb: less(130, 115),
  },
  latency: {
    p99_fixed_vs_nginx_auth_request: less(1.2, 0.8),
    p99_vs_nginx_auth_request: less(1.2, 0.8),
    p50_fixed_vs_nginx_auth_request: less(),
    p50_vs_nginx_auth_request: less(),
  },
  browser: {
    vs_nginx: more(0.55, 0.65),
    vs_nginx_auth_request: more(),
    post_vs_nginx_auth_request: more(1.6, 2),
    post_vs_nginx: more(),
  },
  forward_auth: { vs_bare: more(0.85, 1) },
  bodies: { up_vs_nginx: more(0.62, 0.8), down_vs_nginx: more(1, 1.1) },
  rpc: {
    rpc_vs_json_echo: more(0.33, 0.4),
    http_vs_bare: more(1.2, 1.4),
    rpc_one_vs_echo: more(),
    http_one_vs_bare: more(),
    health_vs_echo: more(),
  },
  tls: {
    h2_vs_nginx: more(0.4, 0.6),
    h2_many_vs_nginx: more(),
    h2_one_vs_nginx: more(),
    handshake_vs_nginx: more(0.4, 0.6),
    resumed_vs_nginx: more(0.4, 0.6),
  },
  behind: { vs_direct: less(1.3, 1.1), mixed_vs_direct: less() },
  growth: { worst_hold_ms: less(50, 10), start_ms: less(500, 300) },
  routes: { ten_thousand_vs_ten: less(1.1, 1), ten_of_ten_thousand_vs_ten: less(1.1, 1) },
  start: { start_ms: less(350, 250), idle_mb: less(100, 90) },
  websockets: { idle_websockets_mb: less(20) },
  workers: { workers_cpu_ratio: less(), memory_mb_per_worker: less(130, 115) },
  login: { login_vs_argon2: more(0.9, 0.97) },
  handover: { open_p50_ms: less(15), end_ms: less(1000) },
  tokens: {
    client_credentials_vs_oidc_provider: more(1.5, 2),
    introspection_vs_oidc_provider: more(1),
    validate_vs_introspection: more(1),
    clients_100k_vs_10: less(1.1, 1),
  },
  rules: { authorize_vs_without: more(0.95), introspection_vs_without: more(0.95) },
  providers: {
    p99_gone_vs_calm: less(1.1),
    p99_silent_vs_calm: less(1.1),
    p99_dripping_vs_calm: less(1.1),
  },
}
