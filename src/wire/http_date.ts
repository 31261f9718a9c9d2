let cached = { second: 0, text: '' }

/** The current time in the format of the Date header (RFC 9110 section 6.6.1), formatted once a second. */
export const httpDate = (): string => {
  const second = Math.floor(Date.now() / 1000)
  if (second !== cached.second) cached = { second, text: new Date().toUTCString() }
  return cached.text
}
