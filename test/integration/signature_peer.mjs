// SPDX-License-Identifier: Apache-2.0
// An independent reader and writer of the WebAssembly tool-conventions "Signatures" format, written
// from the specification with Node's crypto only.
//   signature_peer.mjs verify FILE PUB.pem      exit 0 if every hash and a signature match
//   signature_peer.mjs sign FILE KEY.pem OUT    signs an unsigned file that has delimiters
import { createHash, createPublicKey, createPrivateKey, sign, verify } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    if (byte === undefined || shift > 28) throw new Error("broken LEB128");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function encodeLeb(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return Buffer.from(bytes);
}

function* sections(file) {
  if (file.subarray(0, 8).toString("hex") !== "0061736d01000000") throw new Error("not a module");
  for (let at = 8; at < file.length; ) {
    const start = at;
    const id = file[at];
    let size;
    [size, at] = leb(file, at + 1);
    const body = file.subarray(at, at + size);
    if (body.length !== size) throw new Error("truncated");
    at += size;
    let name = null;
    let payload = body;
    if (id === 0) {
      const [nameSize, nameAt] = leb(body, 0);
      name = body.subarray(nameAt, nameAt + nameSize).toString();
      payload = body.subarray(nameAt + nameSize);
    }
    yield { id, name, payload, raw: file.subarray(start, at) };
  }
}

// One hash per delimiter, of everything from behind the signature section up to it.
function rollingHashes(all) {
  const hash = createHash("sha256");
  const hashes = [];
  let open = false;
  for (const section of all) {
    if (section.name === "signature") continue;
    hash.update(section.raw);
    open = section.name !== "signature_delimiter";
    if (!open) hashes.push(hash.copy().digest());
  }
  if (open) hashes.push(hash.digest());
  return hashes;
}

const message = (hashes) => Buffer.concat([Buffer.from("wasmsig\x01\x01\x01"), ...hashes]);

function readSignature(payload) {
  if (payload.subarray(0, 3).toString("hex") !== "010101") throw new Error("another version");
  let at = 3;
  const next = () => {
    let value;
    [value, at] = leb(payload, at);
    return value;
  };
  const take = (size) => payload.subarray(at, (at += size));
  const sets = [];
  for (let set = next(); set > 0; set--) {
    const hashes = [];
    for (let i = next(); i > 0; i--) hashes.push(take(32));
    const signatures = [];
    for (let i = next(); i > 0; i--) {
      const keyId = take(next());
      const algorithm = take(1)[0];
      signatures.push({ keyId, algorithm, signature: take(next()) });
    }
    sets.push({ hashes, signatures });
  }
  if (at !== payload.length) throw new Error("bytes left over in the signature section");
  return sets;
}

function verifyFile(file, key) {
  const all = [...sections(file)];
  if (all[0]?.name !== "signature") throw new Error("not signed");
  const sets = readSignature(all[0].payload).filter(({ hashes, signatures }) =>
    signatures.some((s) => s.algorithm === 1 && verify(null, message(hashes), key, s.signature)),
  );
  if (sets.length === 0) throw new Error("no valid signature of this key");
  const found = rollingHashes(all);
  const match = sets.some(
    ({ hashes }) => hashes.length === found.length && hashes.every((h, i) => h.equals(found[i])),
  );
  if (!match) throw new Error("the hashes do not match");
}

function signFile(file, key) {
  const all = [...sections(file)];
  const hashes = rollingHashes(all);
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const keyId = createHash("sha256").update(spki.subarray(-32)).digest().subarray(0, 4);
  const signature = sign(null, message(hashes), key);
  const payload = Buffer.concat([
    Buffer.from([1, 1, 1, 1, hashes.length]), ...hashes,
    Buffer.from([1, keyId.length]), keyId,
    Buffer.from([1, signature.length]), signature,
  ]);
  const body = Buffer.concat([Buffer.from("\x09signature"), payload]);
  return Buffer.concat([
    file.subarray(0, 8), Buffer.from([0]), encodeLeb(body.length), body, file.subarray(8),
  ]);
}

const [action, path, keyPath, out] = process.argv.slice(2);
try {
  const file = readFileSync(path);
  const pem = readFileSync(keyPath);
  if (action === "verify") verifyFile(file, createPublicKey(pem));
  else writeFileSync(out, signFile(file, createPrivateKey(pem)));
} catch (error) {
  console.error(String(error.message));
  process.exitCode = 1;
}
