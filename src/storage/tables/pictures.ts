export interface PicturesTables {
  pictures: {
    user_id: string
    /** The media type. */
    type: string
    /** Base64, which both databases store alike. */
    content: string
    changed_at: number
  }
}
