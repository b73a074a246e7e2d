// src/http/index.ts — an HTTP message as one frame. Pure.
export type { HttpRequest, HttpResponse } from './frame.ts'
export {
  HEAD_BYTES_MAX,
  isHttpResponse,
  readHttpRequest,
  readHttpResponse,
  writeHttpRequest,
  writeHttpResponse,
} from './frame.ts'
