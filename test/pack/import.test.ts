import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isNadiError } from '#base'
import { importOpenapi, importWsdl, type PackDraft } from '#pack'
import { nadiIn } from '../cli/nadi.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'nadi-import-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))

const nadi = nadiIn(FOLDER)

const OPTIONS = { product: 'pdam' }

type Drafted = {
  readonly ok: boolean
  readonly kinds: readonly string[]
  readonly problems: readonly { path: string; text: string }[]
  readonly remarks: readonly { path: string; text: string }[]
}

/** Imports a text by the command, and checks what was written by the other command. */
async function drafted(language: string, name: string, text: string, ...more: string[]) {
  const file = join(FOLDER, `${name}.txt`)
  writeFileSync(file, text)
  const args = ['pack', 'import', language, file, '--name', name, '--in', FOLDER, ...more]
  const { code, out, err } = await nadi('--json', ...args)
  if (code !== 0) throw new Error(`${out}${err}`)
  const told = JSON.parse(out) as Drafted
  const checked = await nadi('--json', 'pack', 'check', join(FOLDER, name))
  const read = (one: string) => readFileSync(join(FOLDER, name, one), 'utf8')
  const samples = read('samples.yaml')
  return { ...told, file, checked, pack: read('pack.yaml'), samples, readme: read('README.md') }
}

const SOAP = 'http://schemas.xmlsoap.org/wsdl/soap/'

const DOCUMENT = `<?xml version="1.0"?>
<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="${SOAP}" xmlns:x="http://www.w3.org/2001/XMLSchema"
    xmlns:t="urn:air" xmlns:d="urn:air:types" targetNamespace="urn:air" name="Air">
  <w:types>
    <x:schema targetNamespace="urn:air:types" elementFormDefault="qualified">
      <x:element name="inquiry"><x:complexType><x:sequence>
        <x:element name="username" type="x:string"/>
        <x:element name="password" type="x:string"/>
        <x:element name="idpel" type="x:string"/>
        <x:element name="trxId" type="x:string"/>
        <x:element name="kanal" type="x:string"/>
      </x:sequence></x:complexType></x:element>
      <x:element name="inquiryResponse"><x:complexType><x:sequence>
        <x:element ref="d:hasil"/>
      </x:sequence></x:complexType></x:element>
      <x:element name="hasil" type="d:Hasil"/>
      <x:complexType name="Dasar"><x:sequence>
        <x:element name="rc" type="d:Kode"/>
        <x:element name="pesan" type="x:string" minOccurs="0"/>
      </x:sequence></x:complexType>
      <x:simpleType name="Kode"><x:restriction base="x:string">
        <x:enumeration value="0000"/><x:enumeration value="0014"/>
      </x:restriction></x:simpleType>
      <x:complexType name="Hasil"><x:complexContent><x:extension base="d:Dasar"><x:sequence>
        <x:element name="nama" type="x:string" minOccurs="0"/>
        <x:element name="admin" type="x:decimal"/>
        <x:element name="total" type="x:decimal"/>
        <x:element name="golongan" type="x:string"/>
        <x:element name="induk" type="d:Hasil" minOccurs="0"/>
        <x:element name="rekening" minOccurs="0" maxOccurs="unbounded"><x:complexType><x:sequence>
          <x:element name="bulan" type="x:string"/>
          <x:element name="nilai" type="x:long"/>
          <x:element name="denda" type="x:long"/>
        </x:sequence></x:complexType></x:element>
        <x:choice><x:element name="struk" type="x:string"/><x:any/></x:choice>
      </x:sequence></x:extension></x:complexContent></x:complexType>
      <x:element name="bayar"><x:complexType><x:sequence>
        <x:element name="idpel" type="x:string"/>
        <x:element name="trxId" type="x:string"/>
        <x:element name="total" type="x:decimal"/>
      </x:sequence></x:complexType></x:element>
      <x:element name="bayarResponse" type="d:Hasil"/>
      <x:element name="advice"><x:complexType><x:sequence>
        <x:element name="trxId" type="x:string"/>
      </x:sequence></x:complexType></x:element>
      <x:element name="adviceResponse" type="d:Hasil"/>
      <x:element name="batal" type="d:Hasil"/>
      <x:element name="saldo" type="d:Hasil"/>
    </x:schema>
  </w:types>
${[
  'inquiry',
  'inquiryResponse',
  'bayar',
  'bayarResponse',
  'advice',
  'adviceResponse',
  'batal',
  'saldo',
]
  .map(one => `  <w:message name="${one}"><w:part name="p" element="d:${one}"/></w:message>`)
  .join('\n')}
  <w:portType name="P">
${[
  ['inquiry', 'inquiry', 'inquiryResponse'],
  ['postingBayar', 'bayar', 'bayarResponse'],
  ['advice', 'advice', 'adviceResponse'],
  ['batal', 'batal', 'saldo'],
  ['saldo', 'saldo', 'saldo'],
]
  .map(
    ([name, input, output]) =>
      `    <w:operation name="${name}"><w:input message="t:${input}"/><w:output message="t:${output}"/></w:operation>`,
  )
  .join('\n')}
  </w:portType>
  <w:binding name="B" type="t:P"><s:binding style="document"/>
${['inquiry', 'postingBayar', 'advice', 'batal', 'saldo']
  .map(
    name =>
      `    <w:operation name="${name}"><s:operation soapAction="urn:air#${name}"/>` +
      '<w:input><s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation>',
  )
  .join('\n')}
  </w:binding>
  <w:service name="AirUmpama"><w:port name="P" binding="t:B">
    <s:address location="https://h2h.air.example/ws/air.asmx"/></w:port></w:service>
</w:definitions>
`

/** What NuSOAP says of its functions: rpc, encoded, arrays as restrictions of soapenc:Array. */
const NUSOAP = `<?xml version="1.0" encoding="ISO-8859-1"?>
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="${SOAP}" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"
    xmlns:tns="urn:gas" targetNamespace="urn:gas">
<types><xsd:schema targetNamespace="urn:gas">
  <xsd:complexType name="Jawab"><xsd:all>
    <xsd:element name="rc" type="xsd:string"/><xsd:element name="nama" type="xsd:string"/>
    <xsd:element name="nominal" type="xsd:int"/><xsd:element name="rincian" type="tns:Rincian"/>
  </xsd:all></xsd:complexType>
  <xsd:complexType name="Bulan"><xsd:all>
    <xsd:element name="periode" type="xsd:string"/><xsd:element name="nilai" type="xsd:int"/>
  </xsd:all></xsd:complexType>
  <xsd:complexType name="Rincian"><xsd:complexContent><xsd:restriction base="SOAP-ENC:Array">
    <xsd:attribute ref="SOAP-ENC:arrayType" wsdl:arrayType="tns:Bulan[]"/>
  </xsd:restriction></xsd:complexContent></xsd:complexType>
</xsd:schema></types>
<message name="cekIn"><part name="idpel" type="xsd:string"/><part name="reff" type="xsd:string"/></message>
<message name="cekOut"><part name="return" type="tns:Jawab"/></message>
<message name="payIn"><part name="idpel" type="xsd:string"/><part name="reff" type="xsd:string"/><part name="nominal" type="xsd:int"/></message>
<portType name="G">
  <operation name="cekTagihan"><input message="tns:cekIn"/><output message="tns:cekOut"/></operation>
  <operation name="lunasi"><input message="tns:payIn"/><output message="tns:cekOut"/></operation>
</portType>
<binding name="GB" type="tns:G"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
${['cekTagihan', 'lunasi']
  .map(name => {
    const body =
      '<soap:body use="encoded" namespace="urn:gas" encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"/>'
    return `  <operation name="${name}"><soap:operation soapAction="urn:gas#${name}" style="rpc"/><input>${body}</input><output>${body}</output></operation>`
  })
  .join('\n')}
</binding>
<service name="Gas"><port name="GP" binding="tns:GB"><soap:address location="http://gas.example/h2h/server.php?x=1"/></port></service>
</definitions>
`

t.test('a WSDL of document style becomes a pack that passes the check at once', async t => {
  const { kinds, checked, pack, samples, remarks, file, readme } = await drafted(
    'wsdl',
    'air',
    DOCUMENT,
  )
  t.equal(checked.code, 0, checked.out)
  t.same(kinds, ['inquiry', 'payment', 'status'])
  for (const line of [
    "call: 'POST /ws/air.asmx'",
    "  b: 'urn:air:types'",
    'headers: { soapaction: \'is "urn:air#postingBayar"\' }',
    "'b:idpel': customer.id digits ..30 # required xsd:string; GUESSED by its name",
    "'b:password': credential password",
    "'b:kanal?': unused",
    "'b:total': amountMinor plus adminMinor rupiah decimal",
    "'b:rekening[bills 1..24]?':",
    "'b:inquiryResponse.b:hasil.b:rc or b:bayarResponse.b:rc or b:adviceResponse.b:rc'",
    "  '0000': approved",
    "  '0014': unknown timeout # FILL IN",
  ])
    t.ok(pack.includes(line), line)
  t.match(samples, /<b:idpel>999900000015<\/b:idpel>/)
  t.match(samples, /<b:rekening><b:bulan>202610<\/b:bulan><b:nilai>75000</)
  t.match(readme, /h2h\.air\.example/)
  const lineOf = (text: string) =>
    `${file}:${DOCUMENT.slice(0, DOCUMENT.indexOf(text)).split('\n').length}`
  const said = (place: string, text: RegExp) =>
    t.ok(
      remarks.some(one => one.path === place && text.test(one.text)),
      `${text}`,
    )
  said(lineOf('name="kanal"'), /"kanal" \(inquiry, request.* is required/)
  said(lineOf('name="induk"'), /type d:Hasil holds itself/)
  said(lineOf('<x:choice>'), /choice/)
  said(lineOf('<x:any/>'), /anything may stand here/)
  said(lineOf('<w:operation name="batal"><s:'), /undoes payments/)
  said(lineOf('<w:operation name="saldo"><s:'), /tell it with --operation/)
  said(lineOf('<w:operation name="postingBayar"><s:'), /taken for payment by its name/)
})

t.test('a WSDL of NuSOAP, with what its names do not say told beside it', async t => {
  const { kinds, checked, pack, samples, remarks } = await drafted(
    'wsdl',
    'gas',
    NUSOAP,
    '--product',
    'gas',
    '--operation',
    'payment=lunasi',
  )
  t.equal(checked.code, 0, checked.out)
  t.same(kinds, ['inquiry', 'payment'])
  for (const line of [
    "call: 'POST /h2h/server.php?x=1'",
    "'b:cekTagihan': # required rpc",
    'idpel: customer.id digits ..30',
    'reff: reference.own text ..40',
    'nominal: amountMinor rupiah',
    "'item[bills 1..24]?':",
    "outcome: { code: 'b:cekTagihanResponse.return.rc or b:lunasiResponse.return.rc' }",
  ])
    t.ok(pack.includes(line), line)
  t.match(samples, /<b:lunasi>.*<nominal>160000<\/nominal><\/b:lunasi>/)
  t.ok(remarks.some(({ text }) => /without xsi:type/.test(text)))
  t.ok(remarks.some(({ text }) => /unanswered one waits for a person/.test(text)))
})

const SOAP_12 = 'http://schemas.xmlsoap.org/wsdl/soap12/'
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const POLICY = 'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702'

/** The first WSDL over SOAP 1.2, with a header of its own and a policy. */
function soap12(policy: string, element = 'd:Kepala'): string {
  return DOCUMENT.replaceAll(SOAP, SOAP_12)
    .replace(
      '<x:element name="hasil"',
      `<x:element name="Kepala"><x:complexType><x:sequence>
        <x:element name="username" type="x:string"/><x:element name="kunci" type="x:string"/>
        <x:element name="versi" type="x:string"/></x:sequence></x:complexType></x:element>
      <x:element name="hasil"`,
    )
    .replace(
      '<w:portType',
      `<w:message name="K"><w:part name="k" element="${element}"/></w:message><w:portType`,
    )
    .replaceAll(
      '<w:input><s:body use="literal"/>',
      '<w:input><s:header message="t:K" part="k" use="literal"/><s:body use="literal"/>',
    )
    .replace('<w:types>', `${policy}<w:types>`)
    .replace('xmlns:t="urn:air"', `xmlns:t="urn:air" xmlns:wsse="${WSSE}" xmlns:sp="${POLICY}"`)
}

t.test('a WSDL over SOAP 1.2, with headers and WS-Security', async t => {
  const token = (inner: string) => `<Policy><sp:UsernameToken>${inner}</sp:UsernameToken></Policy>`
  const { checked, pack, samples, remarks } = await drafted(
    'wsdl',
    'air12',
    soap12(token('<Policy><sp:HashPassword/></Policy>')),
  )
  t.equal(checked.code, 0, checked.out)
  for (const text of [
    'content: soap 1.2',
    'content-type: \'is application/soap+xml; charset=utf-8; action="urn:air#postingBayar"\'',
    'security: username-token digest username password',
    "soap-header:\n  'b:Kepala': #",
    "    'b:username': credential username # required xsd:string; GUESSED by its name",
    "    'b:kunci': credential kunci",
    "    'b:versi?': unused # required xsd:string; FILL IN",
    "  kunci: 'secret, kunci of ours'",
  ])
    t.ok(pack.includes(text), text)
  t.match(samples, /content-type: application\/soap\+xml; charset=utf-8; action="urn:air#inquiry"/)
  t.match(samples, /<soap:Envelope xmlns:soap="http:\/\/www.w3.org\/2003\/05\/soap-envelope"/)
  t.match(samples, /<wsse:Username>lab-username<[^]*<b:Kepala><b:username>lab-username</)
  t.ok(remarks.some(({ text }) => /"versi" \(the SOAP header.* is required/.test(text)))
  t.notOk(remarks.some(({ text }) => /left out; `security`|SOAP 1\.2 is not sent/.test(text)))
  const rows: [title: string, text: string, pack: RegExp | undefined, said: RegExp | undefined][] =
    [
      [
        'by its header',
        soap12('', 'wsse:Security'),
        /username-token text/,
        /taken for a user name/,
      ],
      ['by a policy', soap12(token('')), /username-token text/, undefined],
      ['a name alone', soap12(token('<sp:NoPassword/>')), undefined, /without a password/],
      ['a certificate', soap12('<Policy><sp:X509Token/></Policy>'), undefined, /X509Token/],
      [
        'a header of elsewhere',
        soap12('', 'd:None'),
        undefined,
        /element d:None is not in this file/,
      ],
    ]
  for (const [title, text, wanted, said] of rows) {
    const draft = importWsdl('x.wsdl', text, OPTIONS)
    if (wanted) t.match(draft.pack, wanted, title)
    else t.notMatch(draft.pack, /username-token/, title)
    if (said)
      t.ok(
        draft.remarks.some(one => said.test(one.text)),
        title,
      )
  }
})

/** What was thrown, as a person sees it. */
function refusal(read: () => PackDraft): string {
  try {
    read()
  } catch (error) {
    if (isNadiError(error)) return `${error.code} ${error.path}`
    throw error
  }
  return 'nothing'
}

const wsdl = (text: string) => refusal(() => importWsdl('x.wsdl', text, OPTIONS))

t.test('a hostile WSDL is refused with its line', async t => {
  const bomb =
    '<?xml version="1.0"?>\n<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n<l>&b;</l>'
  const groups = Array.from(
    { length: 25 },
    (_, at) =>
      `<x:group name="g${at}"><x:sequence><x:group ref="g${at + 1}"/><x:group ref="g${at + 1}"/></x:sequence></x:group>`,
  ).join('')
  const types = Array.from(
    { length: 8 },
    (_, at) =>
      `<x:complexType name="t${at}"><x:sequence>${Array.from({ length: 9 }, (_, n) => `<x:element name="e${n}" type="d:t${at + 1}"/>`).join('')}</x:sequence></x:complexType>`,
  ).join('')
  const grown = (what: string) =>
    DOCUMENT.replace('<x:element name="kanal" type="x:string"/>', what)
  const rows: [title: string, text: string, told: string][] = [
    ['a document type', bomb, 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['an entity of nobody', '<a>\n&nbsp;</a>', 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['nesting of a megabyte', '<a>'.repeat(350_000), 'DOCUMENT_LIMIT x.wsdl:1'],
    ['no end', '<a>\n<b>', 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['an attribute twice', '<a\n b="1" b="2"/>', 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['something else', '\n<html/>', 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['nothing', '', 'DOCUMENT_SYNTAX x.wsdl:1'],
    ['five megabytes', ' '.repeat(5_000_000), 'DOCUMENT_LIMIT x.wsdl:1'],
    ['many elements', `<a>${'<b/>'.repeat(200_000)}</a>`, 'DOCUMENT_LIMIT x.wsdl:1'],
    ['no binding to SOAP', DOCUMENT.replaceAll(SOAP, 'urn:else'), 'DOCUMENT_SYNTAX x.wsdl:2'],
    ['no name that tells', NUSOAP.replaceAll('cekTagihan', 'tagihan'), 'DOCUMENT_SYNTAX x.wsdl:1'],
    [
      'groups that double',
      grown('<x:group ref="d:g0"/>').replace(
        '</x:schema>',
        `${groups.replaceAll('ref="', 'ref="d:')}</x:schema>`,
      ),
      'DOCUMENT_LIMIT',
    ],
    [
      'types that grow ninefold',
      grown('<x:element name="kanal" type="d:t0"/>').replace('</x:schema>', `${types}</x:schema>`),
      'DOCUMENT_LIMIT',
    ],
  ]
  for (const [title, text, told] of rows) t.match(wsdl(text), told, title)
})

const OPENAPI = `openapi: 3.0.3
info: { title: "Listrik: Umpama", version: "1" }
servers:
  - url: https://api.listrik.example/h2h/v2/
  - url: https://sandbox.listrik.example
security: [{ key: [], token: [] }, { cookie: [] }]
paths:
  /bills/{idpel}:
    get:
      operationId: cekTagihan
      parameters:
        - { name: idpel, in: path, required: true, schema: { type: string } }
        - { name: trxId, in: query, schema: { type: string } }
        - { name: X-Channel, in: header, schema: { type: string } }
      responses:
        '200': { $ref: '#/components/responses/Told' }
        '404': { description: none }
  /bayar:
    post:
      requestBody:
        content:
          application/json:
            schema:
              allOf:
                - $ref: '#/components/schemas/Asked'
                - type: object
                  required: [total, kanal]
                  properties:
                    admin: { type: integer }
                    total: { type: integer }
                    kanal: { type: string, enum: [A, B] }
      responses:
        '200': { $ref: '#/components/responses/Told' }
  /status:
    post:
      operationId: paymentStatus
      requestBody:
        content:
          application/json: { schema: { $ref: '#/components/schemas/Asked' } }
      responses:
        default: { $ref: '#/components/responses/Told' }
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-API-Key }
    token: { type: http, scheme: bearer }
    cookie: { type: apiKey, in: cookie, name: sid }
  responses:
    Told:
      description: told
      content:
        application/json:
          schema: { $ref: '#/components/schemas/Told' }
  schemas:
    Asked:
      type: object
      required: [idpel, trxId]
      properties:
        idpel: { type: string }
        trxId: { type: string }
        pin: { type: string }
    Told:
      type: object
      required: [rc]
      properties:
        rc: { type: string, enum: ['99', '00', other] }
        message: { type: string }
        data:
          oneOf:
            - $ref: '#/components/schemas/Bill'
            - type: object
    Bill:
      type: [object, 'null']
      properties:
        nama: { type: string }
        admin: { type: integer }
        total: { type: string }
        induk: { $ref: '#/components/schemas/Bill' }
        lunas: { type: boolean }
        label: { type: array, items: { type: string } }
        bills:
          type: array
          items:
            type: object
            properties:
              periode: { type: string }
              nilai: { type: number }
              denda: { type: integer }
`

t.test('OpenAPI in YAML becomes a pack that passes the check at once', async t => {
  const { kinds, checked, pack, samples, remarks, file } = await drafted(
    'openapi',
    'listrik',
    OPENAPI,
    '--product',
    'pln-postpaid',
  )
  t.equal(checked.code, 0, checked.out)
  t.same(kinds, ['inquiry', 'payment', 'status'])
  for (const line of [
    "title: 'Listrik: Umpama'",
    "call: 'GET /h2h/v2/bills/{customer.id}'",
    'content: form\n      answers: json\n',
    'trxId: reference.own text ..40',
    "call: 'POST /h2h/v2/bayar'",
    "x-api-key: 'credential key'",
    "authorization: 'credential bearerToken'",
    'pin: credential pin',
    'kanal?: unused # required string, one of A B; FILL IN',
    'total: amountMinor plus adminMinor rupiah #',
    'total: amountMinor plus adminMinor rupiah quoted #',
    "'bills[bills 1..24]?':",
    'nilai: amountMinor rupiah decimal #',
    "outcome: { code: 'rc' }",
    "  '00': approved\n  '99': unknown timeout # FILL IN\n",
  ])
    t.ok(pack.includes(line), line)
  t.match(samples, /x-api-key: lab-key/)
  t.match(samples, /"admin":2500,"total":162500/)
  const lineOf = (text: string) =>
    `${file}:${OPENAPI.slice(0, OPENAPI.indexOf(text)).split('\n').length}`
  const said = (place: string, text: RegExp) =>
    t.ok(
      remarks.some(one => one.path === place && text.test(one.text)),
      `${text}`,
    )
  said(lineOf('servers:'), /1 other servers/)
  said(lineOf('security:'), /of 2 ways/)
  said(lineOf('- { name: X-Channel'), /"X-Channel" \(header\)/)
  said(lineOf('oneOf:'), /first of 2/)
  said(lineOf('induk:'), /holds itself/)
  said(lineOf('label:'), /"label".* is a list/)
  t.match(samples, /GET \/h2h\/v2\/bills\/999900000015\?trxId=\d+ HTTP/)
  said(lineOf('rc: {'), /what each code means/)
})

t.test('OpenAPI in JSON is the same', async t => {
  const { parse } = await import('yaml')
  const json = JSON.stringify(parse(OPENAPI), undefined, 1).replace('"3.0.3"', '"3.1.0"')
  const { checked, kinds } = await drafted('openapi', 'listrik-json', json)
  t.equal(checked.code, 0, checked.out)
  t.same(kinds, ['inquiry', 'payment', 'status'])
})

/** Each of its operations is said in another way; the token is fetched at a path of its own. */
const OAUTH = `openapi: 3.1.0
info: { title: Gas Umpama, version: '2' }
servers: [{ url: https://api.gas.example/ppob }]
security: [{ oauth: [bill.read, bill.pay] }]
paths:
  /oauth/token:
    post: { operationId: payToken, responses: { '200': { description: a token } } }
  /inquiry:
    get:
      parameters:
        - { name: idpel, in: query, required: true, schema: { type: string } }
        - { name: bulan, in: query, required: true, schema: { type: integer } }
        - { name: filter, in: query, schema: { type: object } }
        - { name: X-Request-ID, in: header, schema: { type: string } }
        - { name: X-Partner-ID, in: header, schema: { type: string } }
        - { name: Accept-Language, in: header, schema: { type: string } }
        - { name: Authorization, in: header, schema: { type: string } }
      responses:
        '200': { content: { application/json: { schema: { $ref: '#/components/schemas/Told' } } } }
  /payment:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [idpel, trx_id, total]
              properties:
                idpel: { type: string }
                trx_id: { type: string }
                total: { type: integer }
                rincian: { type: object, properties: { a: { type: string } } }
      responses:
        '200': { content: { text/xml: { schema: { $ref: '#/components/schemas/Receipt' } } } }
  /advice:
    post:
      requestBody:
        content: { application/xml: { schema: { $ref: '#/components/schemas/Ask' } } }
      responses:
        '200': { content: { application/xml: { schema: { $ref: '#/components/schemas/Receipt' } } } }
components:
  securitySchemes:
    oauth:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://api.gas.example/ppob/oauth/token
          scopes: { bill.read: to ask, bill.pay: to pay }
  schemas:
    Told: { type: object, required: [rc], properties: { rc: { type: string }, total: { type: integer } } }
    Ask:
      type: object
      xml: { name: tanya, namespace: 'urn:gas' }
      properties:
        idpel: { type: string }
        ref: { type: string, xml: { attribute: true } }
    Receipt:
      type: object
      required: [rc, total]
      properties:
        rc: { type: string }
        total: { type: integer, xml: { namespace: 'urn:gas:uang' } }
        tagihan:
          type: array
          xml: { wrapped: true, name: daftar }
          items:
            type: object
            xml: { name: bulan }
            properties: { periode: { type: string }, nilai: { type: integer } }
`

t.test('OpenAPI with a token to fetch, queries, forms and XML', async t => {
  const { kinds, checked, pack, samples, remarks } = await drafted('openapi', 'oauth', OAUTH)
  t.equal(checked.code, 0, checked.out)
  t.same(kinds, ['inquiry', 'payment', 'status'])
  for (const text of [
    "  clientId: 'name, our client id'",
    "  session:\n    authorization: 'basic clientId clientSecret'\n  request:\n    authorization: 'bearer'",
    "  call: 'POST /ppob/oauth/token'\n  content: form\n",
    "request: { grant_type: is client_credentials, scope: 'is bill.read bill.pay' }",
    "call: 'GET /ppob/inquiry'\n      answers: json\n",
    "headers: { x-request-id: 'reference.own text ..40', x-partner-id: 'credential PartnerID' }",
    'idpel: customer.id digits ..30',
    "call: 'POST /ppob/payment'\n      answers: xml\n",
    "call: 'POST /ppob/advice'\n      content: xml\n",
    "'b2:tanya': #",
    "'@ref': reference.own",
    "'b:total': amountMinor rupiah #",
    'daftar?: # object',
    "'bulan[bills 1..24]?': #",
    "outcome: { code: 'rc or Receipt.rc' }",
    '  http 401: sign-on sign-on-required\n',
  ])
    t.ok(pack.includes(text), text)
  t.match(
    samples,
    /GET \/ppob\/inquiry\?idpel=999900000015 HTTP[^]*?authorization: Bearer lab-token/,
  )
  t.match(samples, /idpel=999900000015&trx_id=\d+&total=160000/)
  t.match(samples, /<b2:tanya xmlns:b="urn:gas:uang" xmlns:b2="urn:gas" ref="\d+"><idpel>9/)
  t.match(
    samples,
    /<Receipt[^>]*><rc>00<\/rc><b:total>160000<\/b:total><daftar><bulan><periode>202610/,
  )
  for (const said of [
    /where the token is fetched/,
    /"bulan" \(inquiry|"bulan" \(get/,
    /"filter" holds others/,
    /"rincian" holds others/,
    /"Accept-Language" \(header\) is not mapped/,
  ])
    t.ok(
      remarks.some(({ text }) => said.test(text)),
      `${said}`,
    )
  t.notOk(remarks.some(({ text }) => /drafted as JSON|Authorization|Request-ID/.test(text)))
})

t.test('a token from elsewhere, and what OAuth2 needs a person for', async t => {
  const rows: [title: string, from: string | RegExp, to: string, said: RegExp][] = [
    [
      'another host',
      /tokenUrl: .*/,
      'tokenUrl: https://login.example/t',
      /token comes from https:\/\/login\.example/,
    ],
    ['another flow', 'clientCredentials:', 'implicit:', /"oauth" is not drafted: oauth2 implicit/],
    ['multipart', 'x-www-form-urlencoded', 'octet-stream', /octet-stream, and is drafted as JSON/],
    [
      'a root without a name',
      "{ application/xml: { schema: { $ref: '#/components/schemas/Ask' } } }",
      '{ application/xml: { schema: { type: object, properties: { idpel: { type: string } } } } }',
      /root element is called is not told/,
    ],
  ]
  for (const [title, from, to, said] of rows) {
    const { remarks } = importOpenapi('x.yaml', OAUTH.replace(from, to), OPTIONS)
    t.ok(
      remarks.some(({ text }) => said.test(text)),
      title,
    )
  }
})

t.test('a hostile OpenAPI is refused with its line', async t => {
  const openapi = (text: string) => refusal(() => importOpenapi('x.yaml', text, OPTIONS))
  const head =
    'openapi: 3.1.0\npaths: { /bayar: { post: { requestBody: { content: { application/json: { schema: '
  const tail = ' } } }, responses: {} } } }\n'
  const wide = Array.from(
    { length: 9 },
    (_, at) =>
      `s${at}: { properties: { ${Array.from({ length: 9 }, (_, n) => `p${n}: { $ref: '#/s${at + 1}' }`).join(', ')} } }`,
  ).join('\n')
  const merged = Array.from(
    { length: 30 },
    (_, at) => `s${at}: { allOf: [{ $ref: '#/s${at + 1}' }, { $ref: '#/s${at + 1}' }] }`,
  ).join('\n')
  const ref = (to: string) => `${head}{ $ref: '#/${to}' }${tail}`
  const rows: [title: string, text: string, told: string][] = [
    ['Swagger 2.0', 'swagger: "2.0"', 'DOCUMENT_SYNTAX x.yaml:1'],
    ['a version of another time', 'a: b\nopenapi: 4.0.0', 'DOCUMENT_SYNTAX x.yaml:2'],
    ['nothing', '', 'DOCUMENT_SYNTAX x.yaml:1'],
    ['no YAML', 'openapi: 3.0.0\n}{', 'DOCUMENT_SYNTAX x.yaml:2'],
    ['aliases', 'a: &a [x, x]\nb: [*a, *a]', 'DOCUMENT_SYNTAX x.yaml:2'],
    ['a key twice', 'openapi: 3.0.0\ninfo: {}\ninfo: {}', 'DOCUMENT_SYNTAX x.yaml:3'],
    ['brackets of a megabyte', '\n' + '['.repeat(1_000_000), 'DOCUMENT_LIMIT x.yaml:2'],
    ['lists in lists', 'a:\n  ' + '- '.repeat(500_000), 'DOCUMENT_LIMIT x.yaml:2'],
    ['maps of a map', '? '.repeat(500_000), 'DOCUMENT_LIMIT x.yaml:1'],
    ['seventy levels', `${'['.repeat(70)}${']'.repeat(70)}`, 'DOCUMENT_LIMIT x.yaml:1'],
    ['three megabytes', ' '.repeat(3_000_000), 'DOCUMENT_LIMIT x.yaml:1'],
    ['many values', `[${'x,'.repeat(300_000)}]`, 'DOCUMENT_LIMIT x.yaml:1'],
    ['many keys', Array.from({ length: 20_000 }, (_, n) => `k${n}:`).join('\n'), 'DOCUMENT_SYNTAX'],
    [
      'depth by indentation',
      Array.from({ length: 600 }, (_, n) => `${' '.repeat(n)}k:`).join('\n'),
      'DOCUMENT_LIMIT',
    ],
    [
      'a reference to itself',
      `${ref('a')}a: { $ref: '#/b' }\nb: { $ref: '#/a' }`,
      'DOCUMENT_SYNTAX x.yaml:3',
    ],
    ['schemas that grow ninefold', `${ref('s0')}${wide}`, 'DOCUMENT_LIMIT'],
    ['schemas that double', `${ref('s0')}${merged}`, 'DOCUMENT_LIMIT'],
    ['no operation that tells', 'openapi: 3.0.0\npaths: {}', 'DOCUMENT_SYNTAX x.yaml:1'],
  ]
  for (const [title, text, told] of rows) t.match(openapi(text), told, title)
  const cycle = `${ref('s')}s: { allOf: [{ $ref: '#/s' }], properties: { a: { $ref: '#/s' }, 'x.y z': {} } }`
  const { remarks, pack } = importOpenapi('x.yaml', cycle, OPTIONS)
  t.ok(remarks.some(({ path, text }) => path === 'x.yaml:3' && /holds itself/.test(text)))
  t.ok(remarks.some(({ text }) => /no name for a pack/.test(text)))
  t.notMatch(pack, /x\.y z/)
})

t.test('what is typed wrong is usage, and nothing is written over', async t => {
  const file = join(FOLDER, 'typed.wsdl')
  writeFileSync(file, DOCUMENT)
  const again = ['--name', 'typed', '--in', FOLDER]
  const rows: [args: string[], code: number, said: RegExp][] = [
    [['wsdl', join(FOLDER, 'none.wsdl')], 2, /there is no file/],
    [['wsdl', file, '--operation', 'buy=x'], 2, /must read KIND=NAME/],
    [['wsdl', file, '--product', 'A B'], 2, /cannot be called/],
    [['wsdl', file, '--operation', 'payment=none'], 1, /DOCUMENT_SYNTAX.*typed\.wsdl:1/],
    [['openapi', file], 1, /DOCUMENT_SYNTAX/],
    [['wsdl', file, ...again], 0, /^$/],
    [['wsdl', file, ...again], 2, /is there already/],
  ]
  for (const [args, code, said] of rows) {
    const ended = await nadi('pack', 'import', ...args)
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.err.trim(), said)
  }
})
