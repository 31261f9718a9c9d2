/** The path of forward-auth requests. Envoy appends the path that it asks about. */
export const forwardAuthPath = '/auth/forward'

/** Whether a path or request target is a forward-auth request about another request. */
export const isForwardAuth = (target: string): boolean => /^\/auth\/forward(?:[/?]|$)/.test(target)
