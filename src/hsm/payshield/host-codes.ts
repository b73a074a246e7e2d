/** What a code means to a program, whatever its number. */
export type HostCodeKind =
  | 'ok'
  | 'verifyFail'
  | 'keyParity'
  | 'keyUsage'
  | 'pinBlock'
  | 'length'
  | 'notPermitted'
  | 'badRequest'
  | 'unavailable'

/**
 * The two characters behind the response code. Codes 02 to 09 mean something of their own in each
 * command; the text is the commonest meaning.
 */
export const HOST_CODES = {
  '00': row('ok', 'no error'),
  '01': row('verifyFail', 'verification failed, or the parity of an imported key was corrected'),
  '02': row('badRequest', 'warning: PVK of another length; mode flag cannot be'),
  '03': row('badRequest', 'number of components or format flag cannot be'),
  '04': row('keyUsage', 'no such key type code'),
  '05': row('badRequest', 'key length flag or hash identifier cannot be'),
  '06': row('length', 'message length cannot be'),
  '07': row('badRequest', 'destination mode flag cannot be'),
  '08': row('badRequest', 'destination key type cannot be'),
  '09': row('badRequest', 'padding method cannot be'),
  '10': row('keyParity', 'parity of the source key'),
  '11': row('keyParity', 'parity of the destination key, or a key of zeros'),
  '12': row('unavailable', 'user storage is not available'),
  '13': row('badRequest', 'no such LMK identifier'),
  '14': row('pinBlock', 'PIN not valid under LMK pair 02-03'),
  '15': row('badRequest', 'input cannot be read: format, characters, or too little of it'),
  '16': row('unavailable', 'console or printer not ready'),
  '17': row('notPermitted', 'not in the authorised state'),
  '18': row('unavailable', 'document format not loaded'),
  '19': row('badRequest', 'Diebold table not valid'),
  '20': row('pinBlock', 'PIN block holds no valid values'),
  '21': row('badRequest', 'index value cannot be'),
  '22': row('badRequest', 'account number cannot be'),
  '23': row('pinBlock', 'PIN block format code cannot be'),
  '24': row('pinBlock', 'PIN has fewer than 4 or more than 12 digits'),
  '25': row('badRequest', 'decimalisation table cannot be'),
  '26': row('badRequest', 'key scheme cannot be'),
  '27': row('length', 'key has another length than the function needs'),
  '28': row('keyUsage', 'key type cannot be'),
  '29': row('notPermitted', 'function not permitted for this key'),
  '30': row('badRequest', 'reference number cannot be'),
  '31': row('unavailable', 'too few solicitation entries'),
  '33': row('unavailable', 'key change storage is corrupted'),
  '35': row('badRequest', 'message format cannot be'),
  '39': row('notPermitted', 'fraud detection'),
  '40': row('unavailable', 'checksum is wrong'),
  '41': row('unavailable', 'fault in hardware or software'),
  '42': row('unavailable', 'DES failure'),
  '47': row('notPermitted', 'algorithm not licensed'),
  '49': row('unavailable', 'private key error'),
  '51': row('badRequest', 'message header cannot be'),
  '52': row('badRequest', 'number of commands cannot be'),
  '65': row('notPermitted', 'transaction key scheme is none'),
  '67': row('notPermitted', 'command not licensed'),
  '68': row('notPermitted', 'command has been disabled'),
  '69': row('pinBlock', 'PIN block format has been disabled'),
  '74': row('badRequest', 'digest information cannot be'),
  '75': row('length', 'single length key posing as a longer one'),
  '76': row('length', 'public key length'),
  '77': row('badRequest', 'clear data block'),
  '78': row('length', 'private key length'),
  '79': row('badRequest', 'hash algorithm cannot be'),
  '80': row('length', 'more or less data than the length says'),
  '81': row('length', 'PIN length differs; certificate header'),
  '82': row('length', 'check value length'),
  '83': row('badRequest', 'key block format'),
  '84': row('badRequest', 'key block check value'),
  '85': row('badRequest', 'OAEP mask function'),
  '86': row('notPermitted', 'PIN is on an excluded list; OAEP hash'),
  '87': row('badRequest', 'OAEP parameter'),
  '90': row('badRequest', 'parity of the data received'),
  '91': row('badRequest', 'redundancy check of the data received'),
  '92': row('badRequest', 'count of the data received'),
  A1: row('keyUsage', 'LMK schemes do not go together'),
  A2: row('keyUsage', 'LMK identifiers do not go together'),
  A3: row('keyUsage', 'LMK identifiers of key blocks do not go together'),
  A4: row('keyUsage', 'key block is not authentic'),
  A5: row('length', 'key lengths do not go together'),
  A6: row('keyUsage', 'key usage cannot be'),
  A7: row('keyUsage', 'algorithm cannot be'),
  A8: row('keyUsage', 'mode of use cannot be'),
  A9: row('keyUsage', 'key version number cannot be'),
  AA: row('keyUsage', 'exportability cannot be'),
  AB: row('badRequest', 'number of optional blocks cannot be'),
  AC: row('badRequest', 'optional block is wrong'),
  AD: row('badRequest', 'key status block is wrong'),
  AE: row('keyUsage', 'not valid yet'),
  AF: row('keyUsage', 'not valid any more'),
  B0: row('keyUsage', 'encryption mode cannot be'),
  B1: row('keyUsage', 'authentication mode cannot be'),
  B2: row('keyUsage', 'key block is wrong'),
  B3: row('badRequest', 'number of optional blocks is wrong'),
  B4: row('badRequest', 'data of an optional block is wrong'),
  B5: row('keyUsage', 'components do not go together'),
  B6: row('keyUsage', 'key status blocks do not go together'),
  B7: row('badRequest', 'change field cannot be'),
  B8: row('badRequest', 'old value cannot be'),
  B9: row('badRequest', 'new value cannot be'),
  BA: row('badRequest', 'key block has no status block'),
  BB: row('keyUsage', 'wrapping key cannot be'),
  BC: row('badRequest', 'optional block is repeated'),
  BD: row('keyUsage', 'key types do not go together'),
  BE: row('badRequest', 'header of an optional block cannot be'),
} as const satisfies Record<string, HostCodeRow>

export type HostCodeRow = { readonly kind: HostCodeKind; readonly text: string }

export type HostCode = keyof typeof HOST_CODES

export function isHostCode(text: string): text is HostCode {
  return Object.hasOwn(HOST_CODES, text)
}

/** Thrown while a command is read or carried out; it becomes the error code of the answer. */
export class HostRefusal extends Error {
  override readonly name = 'HostRefusal'
  readonly code: HostCode
  /** The field that is wrong, for logs and tests; its content is never told. */
  readonly field: string | undefined
  /** Character in the message behind the command code. */
  readonly offset: number | undefined

  constructor(code: HostCode, field?: string, offset?: number) {
    super(field === undefined ? HOST_CODES[code].text : `${HOST_CODES[code].text} (${field})`)
    this.code = code
    this.field = field
    this.offset = offset
  }
}

function row<const K extends HostCodeKind>(kind: K, text: string): { kind: K; text: string } {
  return { kind, text }
}
