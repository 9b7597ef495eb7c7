import {
  createPrivateKey,
  KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import {
  BitString,
  Integer,
  OctetString,
  PrintableString,
  Sequence,
  Set,
  Utf8String,
} from 'asn1js';
import {
  AttributeTypeAndValue,
  AuthorityKeyIdentifier,
  Certificate,
  CryptoEngine,
  ExtKeyUsage,
  Extension,
  RelativeDistinguishedNames,
  Time,
} from 'pkijs';

const ORGANIZATION = '2.5.4.10';
const COMMON_NAME = '2.5.4.3';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** X.509 allows a common name no more (RFC 5280, ub-common-name). */
const MAX_COMMON_NAME = 64;
const CURVES: Record<string, string> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const crypto = new CryptoEngine({
  name: 'node',
  crypto: webcrypto as unknown as Crypto,
});

/** A certificate and its key, as PEM; in memory only. @public */
export interface ClientCertificate {
  certificate: string;
  key: string;
  notAfter: Date;
}

/**
 * Makes a client certificate, and a new P-256 key for it, signed by an authority with an RSA or EC key.
 *
 * @param authority - certificate and private key, as PEM
 * @throws Error when the authority's key is of another kind or is not its certificate's
 */
export async function mintClientCertificate(
  authority: { certificate: Buffer; key: Buffer },
  subject: { organization: string; commonName: string },
  validity: { notBefore: Date; notAfter: Date },
): Promise<ClientCertificate> {
  const issuer = new X509Certificate(authority.certificate);
  const issuerKey = createPrivateKey(authority.key);
  if (!issuer.checkPrivateKey(issuerKey)) {
    throw new Error('The private key is not that of the certificate.');
  }
  const pair = (await webcrypto.subtle.generateKey(
    { name: 'ECDSA', namedCurve: 'P-256' },
    true,
    ['sign', 'verify'],
  )) as webcrypto.CryptoKeyPair;

  const minted = new Certificate();
  minted.version = 2;
  // Positive, and of nobody else's.
  const serial = randomBytes(16);
  serial[0] = (serial[0] & 0x3f) | 0x40;
  minted.serialNumber = new Integer({
    valueHex: new Uint8Array(serial).buffer,
  });
  const authorized = Certificate.fromBER(issuer.raw);
  minted.issuer = authorized.subject;
  minted.subject = nameOf(subject);
  minted.notBefore = new Time({ value: validity.notBefore });
  minted.notAfter = new Time({ value: validity.notAfter });
  minted.extensions = [
    new Extension({
      extnID: KEY_USAGE,
      critical: true,
      // digitalSignature, the first bit.
      extnValue: new BitString({
        valueHex: new Uint8Array([0x80]).buffer,
        unusedBits: 7,
      }).toBER(false),
    }),
    new Extension({
      extnID: EXTENDED_KEY_USAGE,
      extnValue: new ExtKeyUsage({ keyPurposes: [CLIENT_AUTH] })
        .toSchema()
        .toBER(false),
    }),
    ...keyIdentifierOf(authorized),
  ];
  await minted.subjectPublicKeyInfo.importKey(
    pair.publicKey as CryptoKey,
    crypto,
  );
  await minted.sign(await signingKey(issuerKey), 'SHA-256', crypto);

  const key = Buffer.from(
    await webcrypto.subtle.exportKey('pkcs8', pair.privateKey),
  );
  try {
    return {
      certificate: pem('CERTIFICATE', Buffer.from(minted.toSchema().toBER())),
      key: pem('PRIVATE KEY', key),
      notAfter: validity.notAfter,
    };
  } finally {
    key.fill(0);
  }
}

/** Of one attribute after the other; pkijs alone would make one of both. */
function nameOf(subject: { organization: string; commonName: string }) {
  const parts = [
    new AttributeTypeAndValue({
      type: ORGANIZATION,
      value: new PrintableString({ value: subject.organization }),
    }),
    new AttributeTypeAndValue({
      type: COMMON_NAME,
      value: new Utf8String({
        value: subject.commonName.slice(0, MAX_COMMON_NAME),
      }),
    }),
  ];
  const name = new Sequence({
    value: parts.map(part => new Set({ value: [part.toSchema()] })),
  });
  return RelativeDistinguishedNames.fromBER(name.toBER());
}

/** Names the authority's key, where the authority names it. */
function keyIdentifierOf({ extensions = [] }: Certificate): Extension[] {
  const found = extensions.find(
    ({ extnID }) => extnID === SUBJECT_KEY_IDENTIFIER,
  );
  if (!(found?.parsedValue instanceof OctetString)) return [];
  const { valueHexView } = found.parsedValue.valueBlock;
  const keyIdentifier = new OctetString({
    valueHex: new Uint8Array(valueHexView).buffer,
  });
  return [
    new Extension({
      extnID: AUTHORITY_KEY_IDENTIFIER,
      extnValue: new AuthorityKeyIdentifier({ keyIdentifier })
        .toSchema()
        .toBER(false),
    }),
  ];
}

async function signingKey(key: KeyObject): Promise<CryptoKey> {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  const namedCurve = CURVES[asymmetricKeyDetails?.namedCurve ?? ''];
  let algorithm;
  if (asymmetricKeyType === 'rsa') {
    algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  } else if (asymmetricKeyType === 'ec' && namedCurve) {
    algorithm = { name: 'ECDSA', namedCurve };
  } else {
    throw new Error(
      `The authority's key is of a kind that nothing is signed with here: ${asymmetricKeyType}.`,
    );
  }
  const der = key.export({ type: 'pkcs8', format: 'der' });
  try {
    const imported = await webcrypto.subtle.importKey(
      'pkcs8',
      der,
      algorithm,
      false,
      ['sign'],
    );
    return imported as CryptoKey;
  } finally {
    der.fill(0);
  }
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!;
  return [
    `-----BEGIN ${label}-----`,
    ...lines,
    `-----END ${label}-----`,
    '',
  ].join('\n');
}
