import type { LabBiller } from './lab.ts'

/**
 * The same bills of the same product from a biller of JSON over HTTP: IAK's dialect, whose answers
 * hold the bills as PLN's do, and whose requests are signed by an MD5.
 */
export const REST_BILLER: LabBiller = {
  pack: 'iak',
  conf: {
    'links/pln.yaml': `
biller: pln
pack: iak
url: http://127.0.0.1:1
credentials:
  username: { env: NADI_BENCH_USERNAME }
  apiKey: { env: NADI_BENCH_API_KEY }
inFlightMax: 2048
`,
    'products.yaml': `
pln-postpaid:
  title: PLN postpaid electricity bills
  biller: pln
  links: [pln]
  minimum: Rp 1
  maximum: Rp 9.999.999.999
  inquiryTimeout: 5s
  answerTimeout: 5s
  recovery: { by: check, attempts: 3, spacing: 1s, timeout: 3s }
  reversalWindow: 0s
  fee:
    admin: Rp 1.250
    inside: false
    shares: { biller: 0, switch: 40, partner: 60 }
`,
  },
  settings: port => [
    `links.pln.url=http://127.0.0.1:${port}`,
    // One partner at one address is all the load that there is.
    'listeners.partners-http.limits.partnerRate={ perSecond: 100000, burst: 100000 }',
    'listeners.partners-http.limits.addressRate={ perSecond: 100000, burst: 100000 }',
    'listeners.partners-http.limits.connectionsPerPeerMax=2048',
  ],
  // What the simulator takes them for when it is told no others.
  env: { NADI_BENCH_USERNAME: 'lab-username', NADI_BENCH_API_KEY: 'lab-apiKey' },
}
