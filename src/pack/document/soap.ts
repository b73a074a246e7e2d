import { childOf, DocNode, wrongAt, type Source } from './node.ts'
import { escapeXml, XML_DECLARATION } from './write-xml.ts'

export type SoapVersion = '1.1' | '1.2'

/** SOAP 1.1, section 4; SOAP 1.2 part 1, section 5. Both are read, whichever the pack writes. */
export const SOAP_NAMESPACES: Readonly<Record<SoapVersion, string>> = {
  '1.1': 'http://schemas.xmlsoap.org/soap/envelope/',
  '1.2': 'http://www.w3.org/2003/05/soap-envelope',
}

export type SoapMessage = {
  /** What is in the Body. */
  readonly body: DocNode
  readonly header: DocNode | undefined
  /** The fault's code without its prefix: `Client`, `Server`, `Sender`, `Receiver`. */
  readonly fault: string | undefined
}

/** The envelope's inside. Names in it are resolved: the SOAP prefix is always `soap`. */
export function readEnvelope(root: DocNode, source: Source): SoapMessage {
  const envelope = childOf(root, 'soap:Envelope', 0)
  const body = envelope && childOf(envelope, 'soap:Body', 0)
  if (!body) {
    throw wrongAt(source, 'PACK_FORMAT', root.at, { path: 'body', expected: 'a SOAP envelope' })
  }
  const fault = childOf(body, 'soap:Fault', 0)
  return { body, header: childOf(envelope, 'soap:Header', 0), fault: fault && faultCode(fault) }
}

/** `<faultcode>soap:Client</faultcode>`, or `<soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code>` */
function faultCode(fault: DocNode): string {
  const code = childOf(fault, 'soap:Code', 0)
  const value = code ? childOf(code, 'soap:Value', 0) : childOf(fault, 'faultcode', 0)
  return (value?.text.trim() ?? '').replace(/^.*:/, '')
}

export function writeEnvelope(
  version: SoapVersion,
  { declarations, header, body }: { declarations: string; header: string; body: string },
): string {
  const head = header === '' ? '' : `<soap:Header>${header}</soap:Header>`
  return (
    `${XML_DECLARATION}<soap:Envelope xmlns:soap="${SOAP_NAMESPACES[version]}"${declarations}>` +
    `${head}<soap:Body>${body}</soap:Body></soap:Envelope>`
  )
}

export function writeFault(version: SoapVersion, code: string, text: string): string {
  const reason = escapeXml(text, 'fault')
  const name = /^[A-Za-z.]{1,40}$/.test(code) ? code : version === '1.1' ? 'Server' : 'Receiver'
  const body =
    version === '1.1'
      ? `<soap:Fault><faultcode>soap:${name}</faultcode><faultstring>${reason}</faultstring></soap:Fault>`
      : `<soap:Fault><soap:Code><soap:Value>soap:${name}</soap:Value></soap:Code>` +
        `<soap:Reason><soap:Text xml:lang="en">${reason}</soap:Text></soap:Reason></soap:Fault>`
  return writeEnvelope(version, { declarations: '', header: '', body })
}
