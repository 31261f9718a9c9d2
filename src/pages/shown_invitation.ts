/** What the page says about an invitation: what it asks for depends on it. */
export interface ShownInvitation {
  /** The address that it was made for; empty for a link that several people may use. */
  readonly email: string
  readonly display_name: string
  readonly approve: boolean
  /** Whether there is a mail server, by which people confirm their addresses. */
  readonly confirms: boolean
}
