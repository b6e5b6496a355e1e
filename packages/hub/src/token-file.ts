import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ErrorCode, HubError } from "@orchestrator/protocol";

const TOKEN_BYTES = 32;

/**
 * The token that TCP clients must send, from a file that only its owner may read; made where there is none.
 * @throws {HubError} `FAILED_PRECONDITION` for a file that others can read or that is empty; says what to do
 */
export function readOrMakeToken(path: string): string {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`, { flag: "wx", mode: 0o600 });
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code !== "EEXIST") {
      throw new HubError(
        ErrorCode.FailedPrecondition,
        `Cannot make token file "${path}": ${HubError.from(reason).message}`,
        {
          cause: reason,
        },
      );
    }
  }
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new HubError(
      ErrorCode.FailedPrecondition,
      `Token file "${path}" can be read by others. Try: chmod 600 "${path}"`,
    );
  }
  const token = readFileSync(path, "utf8").trim();
  if (token !== "") return token;
  throw new HubError(ErrorCode.FailedPrecondition, `Token file "${path}" is empty. Remove it, and a new one is made`);
}
