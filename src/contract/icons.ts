import { Type } from './schema_builder.ts'

/** A picture of icons.add, by which routes and clients name it. */
export const UploadedIcon = Type.String({
  pattern: '^picture:[0-9a-f]{32}$',
  description: 'A picture of icons.add, as it names it: picture:…',
})

/** The id of an uploaded picture; undefined for a name of our set. */
export const uploadedIn = (icon: string | null): string | undefined =>
  icon?.startsWith('picture:') ? icon.slice('picture:'.length) : undefined
