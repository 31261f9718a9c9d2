export interface PicturesTables {
  pictures: {
    user_id: string
    /** The media type, empty with the next one after somebody has removed it. */
    type: string
    /** Base64, which both databases store alike. */
    content: string
    changed_at: number
    /** Where a provider said that it is; empty for what somebody chose here. */
    source: string
  }
  /** Pictures for services and applications. */
  icons: {
    /** The start of the SHA-256 of the content, hex. */
    id: string
    type: string
    content: string
    added_at: number
  }
}
