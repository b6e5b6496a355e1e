import { ErrorCode, HubError } from "@orchestrator/protocol";
import forge from "node-forge";
import { MINUTE_MS } from "./authority-files.ts";
import { issueLeaf } from "./issue.ts";
import { type Issuer, leafUntil } from "./leaf-files.ts";

const { asn1, pki, pkcs12 } = forge;

/**
 * Iterations that turn the password into keys: what current tools write; more is only waiting for whoever knows it. The
 * container protects the key on its way into a browser, not for years.
 */
const ITERATIONS = 10_000;
const SALT_BYTES = 16;

/**
 * A new certificate and RSA key for a browser (browsers do not present Ed25519 certificates), with the authority's
 * certificate, encrypted with a password: the key by PBES2 with AES-256-CBC, the whole authenticated by HMAC-SHA-1, the one
 * that every importing program still reads.
 * @throws {HubError} `INVALID_ARGUMENT` without a password
 */
export async function createPkcs12(issuer: Issuer, name: string, password: string): Promise<Uint8Array> {
  if (password === "") {
    throw new HubError(
      ErrorCode.InvalidArgument,
      `Cannot export certificate "${name}": a password is needed, the key would be open`,
    );
  }
  const validity = { fromMs: issuer.now() - MINUTE_MS, untilMs: leafUntil(issuer) };
  const issued = await issueLeaf(issuer.pair, name, { ...validity, algorithm: "rsa-2048" });
  const key = pki.privateKeyFromPem(issued.keyPem);
  const keyId = forge.md.sha1.create().update(derOf(issued.certPem)).digest().getBytes();

  // The library reads RSA certificates signed by RSA only. It builds the key's part; the certificates' parts, which hold
  // finished DER, and the authentication over everything are put together here from its primitives. PBES2 takes the
  // password as UTF-8, which the library leaves to its caller; the authentication takes UTF-16, which it does itself.
  const keyOnly = pkcs12.toPkcs12Asn1(key, null as never, forge.util.encodeUtf8(password), {
    algorithm: "aes256",
    count: ITERATIONS,
    saltSize: SALT_BYTES,
    localKeyId: forge.util.bytesToHex(keyId),
    friendlyName: name,
    useMac: false,
    ...{ prfAlgorithm: "sha256" },
  });
  const attributes = set([
    attribute(pki.oids["localKeyId"]!, octets(keyId)),
    attribute(pki.oids["friendlyName"]!, asn1.create(asn1.Class.UNIVERSAL, asn1.Type.BMPSTRING, false, name)),
  ]);
  const certificates = sequence([
    certificateBag(derOf(issued.certPem), attributes),
    certificateBag(derOf(issuer.pair.certPem)),
  ]);
  const keyPart = contentsOf(keyOnly);
  const safe = bytesOf(sequence([data(bytesOf(certificates)), ...keyPart]));
  const pfx = sequence([integer(3), data(safe), authentication(safe, password)]);
  return Uint8Array.from(Buffer.from(bytesOf(pfx), "binary"));
}

type Node = forge.asn1.Asn1;

/** HMAC over the whole, with a key from the password. */
function authentication(safe: string, password: string): Node {
  const salt = forge.random.getBytesSync(SALT_BYTES);
  // The library's types leave out the digest's purpose: 3 is "authentication".
  const generateKey = (pkcs12 as unknown as { generateKey: GenerateKey }).generateKey;
  const macKey = generateKey(password, forge.util.createBuffer(salt), 3, ITERATIONS, 20);
  const hmac = forge.hmac.create();
  hmac.start("sha1", macKey);
  hmac.update(safe);
  const algorithm = sequence([oid(pki.oids["sha1"]!), asn1.create(asn1.Class.UNIVERSAL, asn1.Type.NULL, false, "")]);
  return sequence([sequence([algorithm, octets(hmac.digest().getBytes())]), octets(salt), integer(ITERATIONS)]);
}

type GenerateKey = (
  password: string,
  salt: forge.util.ByteStringBuffer,
  id: number,
  iterations: number,
  length: number,
) => forge.util.ByteStringBuffer;

/** The list of parts inside a container that was just made. */
function contentsOf(pfx: Node): Node[] {
  const content = (pfx.value as Node[])[1]!;
  const wrapped = ((content.value as Node[])[1]!.value as Node[])[0]!;
  return asn1.fromDer(wrapped.value as string).value as Node[];
}

function certificateBag(der: string, attributes?: Node): Node {
  const bag = sequence([oid(pki.oids["x509Certificate"]!), explicit(octets(der))]);
  return sequence([oid(pki.oids["certBag"]!), explicit(bag), ...(attributes === undefined ? [] : [attributes])]);
}

function data(content: string): Node {
  return sequence([oid(pki.oids["data"]!), explicit(octets(content))]);
}

function attribute(id: string, value: Node): Node {
  return sequence([oid(id), set([value])]);
}

function sequence(items: Node[]): Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
}

function set(items: Node[]): Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, items);
}

function explicit(item: Node): Node {
  return asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0 as never, true, [item]);
}

function octets(bytes: string): Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OCTETSTRING, false, bytes);
}

function oid(id: string): Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(id).getBytes());
}

function integer(value: number): Node {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, asn1.integerToDer(value).getBytes());
}

function bytesOf(node: Node): string {
  return asn1.toDer(node).getBytes();
}

function derOf(pem: string): string {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64").toString("binary");
}
