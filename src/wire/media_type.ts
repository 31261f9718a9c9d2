import { parse } from 'content-type'

const form = 'application/x-www-form-urlencoded'

/** The media type in a Content-Type header, in lower case and without parameters (RFC 9110 section 8.3.1). Empty without a header. */
const mediaTypeOf = (contentType: string | null | undefined): string =>
  parse(contentType ?? '', { parameters: false }).type

/** A page of another site cannot send this type without a CORS preflight, and we allow no other site. */
export const isJson = (contentType: string | null | undefined): boolean =>
  mediaTypeOf(contentType) === 'application/json'

/** JSON under any name (RFC 6839 section 3.1), such as application/jwk-set+json. */
export const isAnyJson = (contentType: string | null | undefined): boolean =>
  /^application\/([\w.-]+\+)?json$/.test(mediaTypeOf(contentType))

/** A form with a file. */
export const isUpload = (contentType: string | null | undefined): boolean =>
  mediaTypeOf(contentType) === 'multipart/form-data'

export const isForm = (contentType: string | null | undefined): boolean => mediaTypeOf(contentType) === form
