/** Where proxies in front of us ask. Envoy appends the path that it asks about. */
export const forwardAuthPath = '/auth/forward'

/** Whether a path, or a request target, is a question about another request. */
export const asksAbout = (target: string): boolean => /^\/auth\/forward(?:[/?]|$)/.test(target)
