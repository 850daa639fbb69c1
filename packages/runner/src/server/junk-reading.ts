/**
 * A number for the way words are read, which changes when that does. Counts made by one way can't be undone by another:
 * whoever learned by another number has to learn anew.
 */
import { crc32 } from 'node:zlib'
import { readMessageKeys } from '@postern/junk/words'

/** A message with something of everything words are made of. */
const PROBE = [
  'Return-Path: <bounce+42@lists.example.com>',
  'Received: from mx.example.net (mx.example.net [192.0.2.7]) by mail.example.org with ESMTPS; Tue, 3 Feb 2026 04:05:06 +0000',
  'Authentication-Results: mail.example.org; spf=pass smtp.mailfrom=example.com; dkim=fail header.d=example.com',
  'From: =?utf-8?q?J=C3=BCrgen?= "The Seller" <seller@shop.example.com>',
  'To: undisclosed-recipients:;',
  'Reply-To: other@example.net',
  'Subject: =?iso-8859-1?q?Fr=E9e?= V1agra!!! don\'t MISS $99.95 (50% off)',
  'Date: Tue, 3 Feb 2026 04:05:06 +0000',
  'Message-ID: <20260203040506.12345@shop.example.com>',
  'X-Mailer: Probe 1.0',
  'List-Id: <offers.example.com>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="b"',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Dear friend, gr=C3=BC=C3=9Fe: cheap pills, https://www.example.com/path/to?id=3D1 or 0xdeadbeef 123456 qwrtpsdf',
  '--b',
  'Content-Type: text/html; charset=iso-8859-1',
  '',
  '<html><style>p{color:red}</style><body><p>Click <a href="http://192.0.2.1/x">he<b>re</b></a>&nbsp;&euro;5 <img alt="picture" src="http://img.example.com/a.gif"></p></body></html>',
  '--b',
  'Content-Type: application/pdf; name="invoice.pdf"',
  'Content-Disposition: attachment; filename="invoice.pdf"',
  'Content-Transfer-Encoding: base64',
  '',
  'JVBERi0xLjQK',
  '--b--',
  '',
].join('\r\n')

/** 1 to 2^32−1. */
export const READING = crc32(Buffer.from(readMessageKeys(Buffer.from(PROBE)).buffer)) || 1
