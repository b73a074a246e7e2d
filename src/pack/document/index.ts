// src/pack/document/index.ts — packs over HTTP: JSON, forms, XML, XML-RPC, SOAP. Pure.
export { compileDocumentPack, DOCUMENT_SECTIONS, isDocumentPack } from './compile-document.ts'
export type { HttpSample, HttpSamples } from './samples.ts'
export { readHttpSamples } from './samples.ts'
