/** A self-signed RSA certificate for a server that has none: local development and tests. */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'

/** PEM texts of a certificate and its key. */
export interface CertificatePair {
  readonly certificate: string
  readonly key: string
}

const YEAR_MS = 365 * 24 * 3_600_000

/**
 * Makes an RSA-2048 certificate, valid from an hour before `now` for four years.
 * @param names DNS names and IP addresses it is for; the first is its common name
 * @param now milliseconds since 1970
 */
export async function createSelfSignedCertificate(names: readonly string[], now: number): Promise<CertificatePair> {
  const pair = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey)
  certificate.serialNumber = `00${forge.util.bytesToHex(forge.random.getBytesSync(15))}`
  certificate.validity.notBefore = new Date(now - 3_600_000)
  certificate.validity.notAfter = new Date(now + 4 * YEAR_MS)
  const subject = [{ name: 'commonName', value: names[0] ?? 'localhost' }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, keyCertSign: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: names.map((name) => (/^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name })) },
  ])
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey) as forge.pki.rsa.PrivateKey, forge.md.sha256.create())
  return { certificate: forge.pki.certificateToPem(certificate), key: pair.privateKey }
}
