let told = { second: 0, text: '' }

/** The present time as a Date header has it (RFC 9110 section 6.6.1), made once a second. */
export const httpDate = (): string => {
  const second = Math.floor(Date.now() / 1000)
  if (second !== told.second) told = { second, text: new Date().toUTCString() }
  return told.text
}
