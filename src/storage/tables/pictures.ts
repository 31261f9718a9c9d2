export interface PicturesTables {
  pictures: {
    user_id: string
    /** The media type. */
    type: string
    /** Base64, which both databases store alike. */
    content: string
    changed_at: number
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
